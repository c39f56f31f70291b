-- Which stations have been silent for too long, and which do what balancing asks of them: what lists filter by.
ALTER TABLE chargestations ADD COLUMN heartbeat_seconds BIGINT; -- the interval that it was given last, or has by its configuration
ALTER TABLE chargestations ADD COLUMN late_at TIMESTAMPTZ; -- when its silence is too long, unless it is heard before
ALTER TABLE balancing_members ADD COLUMN chargestation_id TEXT;
ALTER TABLE balancing_members ADD COLUMN obeying BOOLEAN; -- null: nothing is asked of it, or nobody knows
CREATE INDEX balancing_members_by_station ON balancing_members (chargestation_id, obeying);
