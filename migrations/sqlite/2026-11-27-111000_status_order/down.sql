CREATE TABLE connector_statuses_once (
    connector_id TEXT NOT NULL REFERENCES connectors (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    error_code TEXT,
    PRIMARY KEY (connector_id, at, status)
);
INSERT OR IGNORE INTO connector_statuses_once SELECT connector_id, at, status, error_code FROM connector_statuses ORDER BY id;
DROP TABLE connector_statuses;
ALTER TABLE connector_statuses_once RENAME TO connector_statuses;
