ALTER TABLE load_groups DROP COLUMN hold_minutes;
ALTER TABLE load_groups DROP COLUMN raise_step;
ALTER TABLE load_groups DROP COLUMN trusted_departures;
ALTER TABLE load_groups DROP COLUMN allow_pause;
