-- Every change of a connector's status in its order, also several of one instant.
CREATE TABLE connector_status_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    connector_id TEXT NOT NULL REFERENCES connectors (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    error_code TEXT
);
INSERT INTO connector_status_changes (connector_id, at, status, error_code)
    SELECT connector_id, at, status, error_code FROM connector_statuses ORDER BY at, rowid;
DROP TABLE connector_statuses;
ALTER TABLE connector_status_changes RENAME TO connector_statuses;
CREATE INDEX connector_statuses_by_connector ON connector_statuses (connector_id, at);
