-- Settings that stations get when they connect.
CREATE TABLE configuration_templates (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    code TEXT,
    description TEXT,
    active BOOLEAN NOT NULL,
    valid_from TIMESTAMPTZ,
    valid_to TIMESTAMPTZ,
    priority INTEGER NOT NULL, -- the highest decides about a key that several set
    protocol TEXT, -- null: stations of every protocol
    location_id TEXT REFERENCES locations (id), -- null: stations everywhere
    settings JSONB NOT NULL,
    batch_size INTEGER NOT NULL, -- keys that are read, changed and read again together
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX configuration_templates_by_organization ON configuration_templates (organization_id, created_at);
