ALTER TABLE load_groups DROP COLUMN stop_when_exceeded;
