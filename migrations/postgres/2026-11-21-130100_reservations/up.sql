-- Connectors that are kept for somebody.
CREATE TABLE reservations (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id) ON DELETE CASCADE,
    evse_id TEXT NOT NULL REFERENCES evses (id) ON DELETE CASCADE,
    connector_id TEXT NOT NULL REFERENCES connectors (id) ON DELETE CASCADE,
    kept JSONB NOT NULL, -- each connector that is kept, with the number the station knows the reservation by
    id_tag TEXT NOT NULL,
    parent_group TEXT,
    token_id TEXT REFERENCES tokens (id) ON DELETE SET NULL,
    user_id TEXT REFERENCES users (id) ON DELETE SET NULL,
    session_id TEXT REFERENCES sessions (id) ON DELETE SET NULL,
    status TEXT NOT NULL,
    reason TEXT,
    expires_at TIMESTAMPTZ NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX reservations_by_organization ON reservations (organization_id, created_at);
CREATE INDEX reservations_by_station ON reservations (chargestation_id, status);
CREATE INDEX reservations_by_expiry ON reservations (status, expires_at);
INSERT INTO counters (name, value) VALUES ('reservation', 0);
