-- Tests whether a station does what load management needs of it.
CREATE TABLE acceptance_tests (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id) ON DELETE CASCADE,
    connector_id TEXT REFERENCES connectors (id) ON DELETE SET NULL,
    status TEXT NOT NULL,
    proof TEXT,
    steps TEXT NOT NULL,
    left_profile INTEGER, -- a charging profile that may still be on the station
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER
);
CREATE INDEX acceptance_tests_by_station ON acceptance_tests (chargestation_id, id);
CREATE INDEX acceptance_tests_running ON acceptance_tests (status) WHERE status = 'running';
