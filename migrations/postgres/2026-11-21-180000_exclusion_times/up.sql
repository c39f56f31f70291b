-- Groups of home chargers: whose they are, and when they do not charge.
ALTER TABLE load_groups ADD COLUMN user_id TEXT REFERENCES users (id);
ALTER TABLE load_groups ADD COLUMN exclusion_times JSONB NOT NULL DEFAULT '{"windows": []}';
CREATE INDEX load_groups_by_user ON load_groups (user_id);
