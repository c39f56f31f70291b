-- Stations that are pinned to a version, and transactions that stations name and tell event by event.
ALTER TABLE chargestations ADD COLUMN pinned_protocol TEXT;
ALTER TABLE sessions ADD COLUMN transaction_name TEXT;
ALTER TABLE sessions ADD COLUMN start_request INTEGER; -- the number by which its station was asked to start it
CREATE UNIQUE INDEX sessions_by_transaction_name ON sessions (chargestation_id, transaction_name);
CREATE TABLE transaction_events (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq_no INTEGER NOT NULL,
    stage TEXT NOT NULL,
    trigger_reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    offline BOOLEAN NOT NULL DEFAULT 0,
    raw TEXT NOT NULL,
    PRIMARY KEY (session_id, seq_no)
);
