-- How connectors were doing, and stations that are out of use because their location is closed.
CREATE TABLE connector_statuses (
    connector_id TEXT NOT NULL REFERENCES connectors (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    error_code TEXT,
    PRIMARY KEY (connector_id, at, status)
);
ALTER TABLE chargestations ADD COLUMN closed_by_hours BOOLEAN NOT NULL DEFAULT 0;
