-- When things were heard, besides when they happened by the clock of a station; what was corrected after an end; and events
-- of transactions whose number is told twice for different things.
ALTER TABLE chargestations ADD COLUMN last_boot_at INTEGER;
ALTER TABLE connectors ADD COLUMN status_heard_at INTEGER; -- when the status was last received
ALTER TABLE connectors ADD COLUMN status_changed_at INTEGER; -- when it was first received, after another one
UPDATE connectors SET status_heard_at = status_at, status_changed_at = status_at;
ALTER TABLE sessions ADD COLUMN begun_at INTEGER; -- when its start was received
ALTER TABLE sessions ADD COLUMN corrections TEXT NOT NULL DEFAULT '[]';
UPDATE sessions SET begun_at = created_at WHERE started_at IS NOT NULL;

-- Stations count their transactions anew, so a name may come back.
DROP INDEX sessions_by_transaction_name;
CREATE INDEX sessions_by_transaction_name ON sessions (chargestation_id, transaction_name, created_at);

CREATE TABLE transaction_events_told (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq_no INTEGER NOT NULL,
    stage TEXT NOT NULL,
    trigger_reason TEXT NOT NULL,
    at INTEGER NOT NULL, -- by the clock of the station
    received_at INTEGER NOT NULL,
    offline BOOLEAN NOT NULL DEFAULT 0,
    raw TEXT NOT NULL,
    PRIMARY KEY (session_id, seq_no, stage, at, trigger_reason)
);
INSERT INTO transaction_events_told (session_id, seq_no, stage, trigger_reason, at, received_at, offline, raw)
    SELECT session_id, seq_no, stage, trigger_reason, at, received_at, offline, raw FROM transaction_events;
DROP TABLE transaction_events;
ALTER TABLE transaction_events_told RENAME TO transaction_events;
