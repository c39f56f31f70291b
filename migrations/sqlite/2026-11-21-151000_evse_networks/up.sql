-- EVSE networks, their groups, the EVSEs in them, and what is offered for them.
CREATE TABLE evse_networks (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    description TEXT,
    status TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (organization_id, name)
);
CREATE INDEX evse_networks_by_organization ON evse_networks (organization_id, created_at);

CREATE TABLE evse_groups (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    network_id TEXT NOT NULL REFERENCES evse_networks (id),
    name TEXT NOT NULL,
    description TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (network_id, name)
);

CREATE TABLE network_evses (
    evse_id TEXT PRIMARY KEY REFERENCES evses (id), -- so an EVSE is in one group of one network at most
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    network_id TEXT NOT NULL REFERENCES evse_networks (id),
    group_id TEXT NOT NULL REFERENCES evse_groups (id),
    created_at INTEGER NOT NULL
);
CREATE INDEX network_evses_by_network ON network_evses (network_id);
CREATE INDEX network_evses_by_group ON network_evses (group_id);

CREATE TABLE service_offers (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    network_id TEXT NOT NULL REFERENCES evse_networks (id),
    name TEXT NOT NULL,
    content TEXT NOT NULL, -- tariffs, products, audience and terms
    published_at INTEGER, -- null: a draft
    valid_from INTEGER,
    ends_at INTEGER, -- the end of its validity, its cancellation, or its successor's start
    cancelled BOOLEAN NOT NULL,
    told_status TEXT NOT NULL, -- the status that the last event told
    version INTEGER NOT NULL,
    original_id TEXT NOT NULL, -- the first version
    previous_id TEXT,
    next_id TEXT,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX service_offers_by_organization ON service_offers (organization_id, created_at);
CREATE INDEX service_offers_by_network ON service_offers (network_id);
CREATE INDEX service_offers_by_original ON service_offers (original_id);
