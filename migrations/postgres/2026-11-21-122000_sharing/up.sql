-- How groups treat departures, and how fast their limits rise.
ALTER TABLE load_groups ADD COLUMN allow_pause BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE load_groups ADD COLUMN trusted_departures BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE load_groups ADD COLUMN raise_step BIGINT; -- watts
ALTER TABLE load_groups ADD COLUMN hold_minutes BIGINT;
