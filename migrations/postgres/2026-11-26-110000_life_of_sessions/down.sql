CREATE TABLE transaction_events_told (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq_no BIGINT NOT NULL,
    stage TEXT NOT NULL,
    trigger_reason TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    offline BOOLEAN NOT NULL DEFAULT FALSE,
    raw TEXT NOT NULL,
    PRIMARY KEY (session_id, seq_no)
);
-- Of several with one number the first that was received stays.
INSERT INTO transaction_events_told (session_id, seq_no, stage, trigger_reason, at, received_at, offline, raw)
    SELECT session_id, seq_no, stage, trigger_reason, at, received_at, offline, raw FROM transaction_events
    ORDER BY received_at
    ON CONFLICT DO NOTHING;
DROP TABLE transaction_events;
ALTER TABLE transaction_events_told RENAME TO transaction_events;

-- Of several with one name the newest keeps it.
UPDATE sessions SET transaction_name = NULL WHERE EXISTS (
    SELECT 1 FROM sessions AS newer WHERE newer.chargestation_id = sessions.chargestation_id
    AND newer.transaction_name = sessions.transaction_name
    AND (newer.created_at > sessions.created_at OR (newer.created_at = sessions.created_at AND newer.id > sessions.id)));
DROP INDEX sessions_by_transaction_name;
CREATE UNIQUE INDEX sessions_by_transaction_name ON sessions (chargestation_id, transaction_name);

ALTER TABLE sessions DROP COLUMN corrections;
ALTER TABLE sessions DROP COLUMN begun_at;
ALTER TABLE connectors DROP COLUMN status_changed_at;
ALTER TABLE connectors DROP COLUMN status_heard_at;
ALTER TABLE chargestations DROP COLUMN last_boot_at;
