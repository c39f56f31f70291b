DROP TABLE transaction_events;
DROP INDEX sessions_by_transaction_name;
ALTER TABLE sessions DROP COLUMN start_request;
ALTER TABLE sessions DROP COLUMN transaction_name;
ALTER TABLE chargestations DROP COLUMN pinned_protocol;
