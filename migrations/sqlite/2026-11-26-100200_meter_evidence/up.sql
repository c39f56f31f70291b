-- What meters signed, byte for byte.
CREATE TABLE meter_evidence (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id) ON DELETE CASCADE,
    connector_id TEXT,
    session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE,
    told_at INTEGER NOT NULL, -- by the clock of the station
    received_at INTEGER NOT NULL,
    context TEXT NOT NULL,
    measurand TEXT,
    location TEXT,
    encoding TEXT,
    signing_method TEXT,
    public_key TEXT,
    signed_data TEXT NOT NULL
);
CREATE INDEX meter_evidence_by_station ON meter_evidence (chargestation_id, told_at);
CREATE INDEX meter_evidence_by_session ON meter_evidence (session_id, received_at);
