ALTER TABLE load_groups DROP COLUMN external_cap;
ALTER TABLE load_groups DROP COLUMN capacity_schedules;
ALTER TABLE load_groups DROP COLUMN feeder_rating;
ALTER TABLE load_groups DROP COLUMN imbalance_limit;
