-- Capacities of groups that change with time, and two more limits of theirs.
ALTER TABLE load_groups ADD COLUMN imbalance_limit INTEGER; -- milliamps
ALTER TABLE load_groups ADD COLUMN feeder_rating INTEGER; -- watts
ALTER TABLE load_groups ADD COLUMN capacity_schedules TEXT NOT NULL DEFAULT '{}';
ALTER TABLE load_groups ADD COLUMN external_cap TEXT;
