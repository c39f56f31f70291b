-- The main job: organizations, places, stations, drivers, sessions, groups, and the log of events.

CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    mode TEXT NOT NULL,
    hint TEXT NOT NULL, -- the key's first characters, to recognise it by
    secret_hash TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX api_keys_by_organization ON api_keys (organization_id, created_at);

CREATE TABLE idempotency_keys (
    api_key_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER, -- null while the first request is still being answered
    body TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (api_key_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE locations (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    operator_name TEXT NOT NULL,
    name TEXT,
    code TEXT,
    notes TEXT,
    active BOOLEAN NOT NULL,
    address TEXT NOT NULL,
    longitude REAL NOT NULL,
    latitude REAL NOT NULL,
    timezone TEXT NOT NULL,
    opening_hours TEXT NOT NULL,
    balancing_basis TEXT NOT NULL,
    voltage INTEGER NOT NULL,
    custom_fields TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX locations_by_organization ON locations (organization_id, created_at);

CREATE TABLE chargestations (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    location_id TEXT REFERENCES locations (id),
    name TEXT,
    description TEXT,
    code TEXT,
    protocol TEXT NOT NULL,
    endpoint TEXT NOT NULL UNIQUE, -- the short id at the end of connection_url
    security_type TEXT NOT NULL,
    password_hash TEXT,
    active BOOLEAN NOT NULL,
    public BOOLEAN NOT NULL,
    visible BOOLEAN NOT NULL,
    is_simulator BOOLEAN NOT NULL,
    manufacturer TEXT,
    model TEXT,
    physical_address TEXT,
    operational_status TEXT NOT NULL,
    registration TEXT NOT NULL,
    boot_configuration TEXT NOT NULL,
    boot_info TEXT NOT NULL,
    longitude REAL,
    latitude REAL,
    online BOOLEAN NOT NULL,
    last_connect_at INTEGER,
    last_disconnect_at INTEGER,
    last_message_at INTEGER,
    configuration TEXT NOT NULL,
    variables TEXT NOT NULL,
    capabilities TEXT NOT NULL, -- what was learnt about its smart charging
    flags TEXT NOT NULL, -- what it does differently from the specification
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX chargestations_by_organization ON chargestations (organization_id, created_at);
CREATE INDEX chargestations_by_location ON chargestations (location_id);

CREATE TABLE evses (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id),
    number INTEGER NOT NULL, -- the station's own number of it, from 1
    name TEXT,
    code TEXT NOT NULL,
    evse_id TEXT,
    physical_address TEXT,
    reservable BOOLEAN NOT NULL,
    roaming BOOLEAN NOT NULL,
    electric_current_type TEXT NOT NULL,
    simultaneous BOOLEAN NOT NULL,
    custom_fields TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (organization_id, code),
    UNIQUE (chargestation_id, number)
);
CREATE INDEX evses_by_organization ON evses (organization_id, created_at);

CREATE TABLE connectors (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id),
    evse_id TEXT NOT NULL REFERENCES evses (id),
    number INTEGER NOT NULL, -- OCPP 1.6 connectorId, from 1 within the station
    name TEXT,
    description TEXT,
    code TEXT,
    active BOOLEAN NOT NULL,
    status TEXT NOT NULL,
    error_code TEXT,
    status_at INTEGER,
    type TEXT NOT NULL,
    format TEXT NOT NULL,
    power_type TEXT NOT NULL,
    power INTEGER NOT NULL, -- watts
    voltage_limit INTEGER, -- millivolts
    amperage_limit INTEGER, -- milliamps
    wattage_limit INTEGER, -- watts
    power_factor REAL NOT NULL,
    phases INTEGER, -- 1 or 3; null when unknown
    phase_rotation TEXT,
    rate TEXT,
    custom_fields TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (chargestation_id, number)
);
CREATE INDEX connectors_by_organization ON connectors (organization_id, created_at);
CREATE INDEX connectors_by_evse ON connectors (evse_id);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    firstname TEXT NOT NULL,
    lastname TEXT NOT NULL,
    email TEXT,
    active BOOLEAN NOT NULL,
    role TEXT NOT NULL,
    picture TEXT,
    address TEXT NOT NULL,
    phone TEXT NOT NULL,
    favorite_chargestations TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (organization_id, email)
);
CREATE INDEX users_by_organization ON users (organization_id, created_at);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    user_id TEXT REFERENCES users (id),
    physical_id TEXT NOT NULL,
    folded_id TEXT NOT NULL, -- physical_id in lower case: OCPP 1.6 tokens ignore case
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    expires_at INTEGER,
    parent_group TEXT,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (organization_id, folded_id)
);
CREATE INDEX tokens_by_organization ON tokens (organization_id, created_at);
CREATE INDEX tokens_by_user ON tokens (user_id);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id),
    connector_id TEXT REFERENCES connectors (id), -- null for a stop whose start was never seen
    user_id TEXT REFERENCES users (id),
    token_id TEXT REFERENCES tokens (id),
    id_tag TEXT,
    status TEXT NOT NULL,
    type TEXT,
    orphan BOOLEAN NOT NULL,
    transaction_id INTEGER UNIQUE,
    start_key TEXT UNIQUE, -- the natural key of its start: a repeated StartTransaction finds it
    stop_key TEXT UNIQUE, -- the same for a stop whose start was never seen
    started_at INTEGER,
    ended_at INTEGER,
    meter_start INTEGER,
    meter_stop INTEGER,
    energy INTEGER NOT NULL, -- watt-hours delivered
    energy_period INTEGER NOT NULL, -- seconds of drawing energy
    latest TEXT, -- the latest reading
    latest_at INTEGER,
    power INTEGER, -- watts drawn at the latest reading
    charging_state TEXT,
    charging_activity TEXT NOT NULL,
    stop_reason TEXT,
    target TEXT NOT NULL,
    configurations TEXT NOT NULL,
    departure_at INTEGER,
    energy_need INTEGER, -- watt-hours
    power_limit INTEGER, -- watts, set for this session by API
    reported_at INTEGER, -- when session.updated was last told
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX sessions_by_organization ON sessions (organization_id, created_at);
CREATE INDEX sessions_by_connector ON sessions (connector_id, created_at);
CREATE INDEX sessions_by_station ON sessions (chargestation_id, created_at);
CREATE INDEX sessions_open ON sessions (status, created_at);

CREATE TABLE meter_values (
    connector_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    context TEXT NOT NULL,
    session_id TEXT,
    received_at INTEGER NOT NULL,
    energy INTEGER,
    power INTEGER,
    reading TEXT NOT NULL, -- normalised
    raw TEXT NOT NULL, -- as it came
    PRIMARY KEY (connector_id, at, context)
) WITHOUT ROWID;

CREATE TABLE actions (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    type TEXT NOT NULL,
    status TEXT NOT NULL,
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id),
    connector_id TEXT,
    session_id TEXT,
    data TEXT NOT NULL,
    response_data TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX actions_by_organization ON actions (organization_id, created_at);
CREATE INDEX actions_by_station ON actions (chargestation_id, created_at);

CREATE TABLE load_groups (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    location_id TEXT NOT NULL REFERENCES locations (id),
    parent_id TEXT REFERENCES load_groups (id),
    name TEXT NOT NULL,
    description TEXT,
    notes TEXT,
    maximum_capacity INTEGER NOT NULL, -- watts
    minimum_connector_capacity INTEGER NOT NULL, -- watts
    buffer INTEGER NOT NULL, -- parts per million of maximum_capacity
    algorithm TEXT NOT NULL,
    dry_run BOOLEAN NOT NULL,
    fallback_capacity INTEGER, -- watts a connector may draw when its station lost this server
    phase_capacity INTEGER, -- milliamps per phase
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX load_groups_by_organization ON load_groups (organization_id, created_at);
CREATE INDEX load_groups_by_location ON load_groups (location_id);
CREATE INDEX load_groups_by_parent ON load_groups (parent_id);

CREATE TABLE group_stations (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    group_id TEXT NOT NULL REFERENCES load_groups (id),
    chargestation_id TEXT NOT NULL UNIQUE REFERENCES chargestations (id),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX group_stations_by_group ON group_stations (group_id);

CREATE TABLE group_connectors (
    connector_id TEXT PRIMARY KEY REFERENCES connectors (id),
    group_id TEXT NOT NULL REFERENCES load_groups (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id),
    maximum_capacity INTEGER, -- watts; null means what the connector can do
    minimum_capacity INTEGER, -- watts; null means the group's minimum
    priority INTEGER NOT NULL
);
CREATE INDEX group_connectors_by_group ON group_connectors (group_id);
CREATE INDEX group_connectors_by_station ON group_connectors (chargestation_id);

CREATE TABLE balancing_states (
    group_id TEXT PRIMARY KEY, -- the root of a tree of groups
    state TEXT NOT NULL, -- what every connector may still draw, and who waits since when
    updated_at INTEGER NOT NULL
);

CREATE TABLE plans (
    id TEXT PRIMARY KEY,
    group_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    trigger TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    plan TEXT NOT NULL
);
CREATE INDEX plans_by_group ON plans (group_id, at);

CREATE TABLE events (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    type TEXT NOT NULL,
    object TEXT NOT NULL,
    chargestation_id TEXT,
    data TEXT NOT NULL, -- the whole object as JSON
    created_at INTEGER NOT NULL
);
CREATE INDEX events_by_organization ON events (organization_id, cursor);

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
);
INSERT INTO counters (name, value) VALUES ('transaction', 0);
