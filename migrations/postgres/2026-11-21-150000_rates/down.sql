ALTER TABLE sessions DROP COLUMN cost;
ALTER TABLE sessions DROP COLUMN rate_version;
ALTER TABLE sessions DROP COLUMN rate_id;
DROP TABLE session_tariffs;
DROP INDEX connectors_by_rate;
DROP TABLE rate_schedules;
DROP TABLE rates;
