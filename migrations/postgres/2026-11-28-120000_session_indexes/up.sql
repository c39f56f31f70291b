-- Each session is written into every index twice. One index by station and one by connector serve both lists and what stations
-- report, and names of transactions are indexed where there is one.
DROP INDEX sessions_listed_by_station;
DROP INDEX sessions_listed_by_connector;
DROP INDEX sessions_by_station;
DROP INDEX sessions_by_connector;
DROP INDEX sessions_by_transaction_name;
CREATE INDEX sessions_by_station ON sessions (chargestation_id, created_at, id);
CREATE INDEX sessions_by_connector ON sessions (connector_id, created_at, id);
CREATE INDEX sessions_by_transaction_name ON sessions (chargestation_id, transaction_name, created_at, id)
    WHERE transaction_name IS NOT NULL;
