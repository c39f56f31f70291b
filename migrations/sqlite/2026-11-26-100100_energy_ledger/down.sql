DROP INDEX meter_values_by_told;
ALTER TABLE meter_values DROP COLUMN delivered;
ALTER TABLE meter_values DROP COLUMN told_at;
ALTER TABLE sessions DROP COLUMN flags;
ALTER TABLE sessions DROP COLUMN energy_ledger;
