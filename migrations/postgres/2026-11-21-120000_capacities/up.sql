-- Capacities of groups that change with time, and two more limits of theirs.
ALTER TABLE load_groups ADD COLUMN imbalance_limit BIGINT; -- milliamps
ALTER TABLE load_groups ADD COLUMN feeder_rating BIGINT; -- watts
ALTER TABLE load_groups ADD COLUMN capacity_schedules JSONB NOT NULL DEFAULT '{}';
ALTER TABLE load_groups ADD COLUMN external_cap JSONB;
