-- The whole schema as version 0.1.0 has it, in the order of what refers to what. Every later change is a migration of its own.
--
-- Both stores have the same tables, columns and indexes. Here times are INTEGER (microseconds since 1970, UTC), documents are
-- JSON in TEXT.

-- ============================================================ organizations and who may call

CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    unknown_cards TEXT NOT NULL DEFAULT 'refuse', -- what a card gets that no token knows
    concurrent_cards TEXT NOT NULL DEFAULT 'accept', -- what a card gets that is in use elsewhere
    unknown_connectors TEXT NOT NULL DEFAULT 'report', -- what becomes of a connector that a station reports and nobody set up
    default_security TEXT NOT NULL DEFAULT 'none', -- how a new station authenticates, where nothing else is said
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    mode TEXT NOT NULL, -- live or test
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
CREATE INDEX api_keys_by_change ON api_keys (organization_id, updated_at, id);

-- Answers to requests with an Idempotency-Key, sealed, so that a repetition gets the same answer.
CREATE TABLE idempotency_keys (
    api_key_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER, -- null while the first request is still being answered
    body TEXT,
    scopes TEXT, -- those that the request needed: a repetition is answered to who still has them
    created_at INTEGER NOT NULL,
    PRIMARY KEY (api_key_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- ============================================================ locations, charge stations, EVSEs, connectors

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
    voltage INTEGER NOT NULL, -- millivolts
    unknown_cards TEXT, -- null: as its organization has it
    concurrent_cards TEXT, -- null: as its organization has it
    custom_fields TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX locations_by_organization ON locations (organization_id, created_at);
CREATE INDEX locations_by_change ON locations (organization_id, updated_at, id);

CREATE TABLE chargestations (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    location_id TEXT REFERENCES locations (id),
    name TEXT,
    description TEXT,
    code TEXT,
    manufacturer TEXT,
    model TEXT,
    serial_number TEXT, -- as its operator entered it: a name that certificates may have
    physical_address TEXT,
    longitude REAL,
    latitude REAL,
    active BOOLEAN NOT NULL,
    public BOOLEAN NOT NULL,
    visible BOOLEAN NOT NULL,
    is_simulator BOOLEAN NOT NULL,
    operational_status TEXT NOT NULL,
    closed_by_hours BOOLEAN NOT NULL DEFAULT 0, -- out of use because its location is closed
    unknown_connectors TEXT, -- null: as its organization has it
    -- How it connects and authenticates.
    protocol TEXT NOT NULL,
    pinned_protocol TEXT, -- the only version that it may speak; null: any
    endpoint TEXT NOT NULL UNIQUE, -- the last segment of connection_url
    endpoint_is_secret BOOLEAN NOT NULL DEFAULT 0, -- drawn at random and long enough to be all that the station has to know
    security_type TEXT NOT NULL,
    requires_tls BOOLEAN NOT NULL DEFAULT 0,
    password_hash TEXT,
    pending_passwords TEXT NOT NULL DEFAULT '[]', -- hashes of passwords that it was sent and has not connected with yet
    registration TEXT NOT NULL, -- what its BootNotification is answered
    online BOOLEAN NOT NULL,
    last_connect_at INTEGER,
    last_disconnect_at INTEGER,
    last_message_at INTEGER,
    last_boot_at INTEGER,
    clock_offset_seconds BIGINT, -- how far its clock is ahead of ours, by its last live messages
    -- What it reported and what was learnt about it.
    boot_configuration TEXT NOT NULL,
    boot_info TEXT NOT NULL, -- its last BootNotification
    boot_vendor TEXT, -- from boot_info, where lists can search it
    boot_model TEXT,
    configuration TEXT NOT NULL,
    variables TEXT NOT NULL,
    capabilities TEXT NOT NULL, -- what was learnt about its smart charging
    limit_forms TEXT NOT NULL DEFAULT '{}', -- the variants of charging profiles that it accepted or refused
    flags TEXT NOT NULL, -- where it deviates from the specification
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX chargestations_by_organization ON chargestations (organization_id, created_at);
CREATE INDEX chargestations_by_change ON chargestations (organization_id, updated_at, id);
CREATE INDEX chargestations_by_location ON chargestations (location_id);
CREATE UNIQUE INDEX chargestations_by_endpoint ON chargestations (lower(endpoint)); -- stations spell it as they like
CREATE INDEX chargestations_by_serial_number ON chargestations (lower(serial_number));

CREATE TABLE evses (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id),
    number INTEGER NOT NULL, -- the station's own number of it, from 1
    name TEXT,
    code TEXT NOT NULL,
    evse_id TEXT, -- its id for roaming
    physical_address TEXT,
    reservable BOOLEAN NOT NULL,
    roaming BOOLEAN NOT NULL,
    electric_current_type TEXT NOT NULL,
    simultaneous BOOLEAN NOT NULL, -- whether its connectors can be used at the same time
    custom_fields TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (organization_id, code),
    UNIQUE (chargestation_id, number)
);
CREATE INDEX evses_by_organization ON evses (organization_id, created_at);
CREATE INDEX evses_by_change ON evses (organization_id, updated_at, id);

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
    created_by TEXT NOT NULL DEFAULT 'operator', -- or its station, which reported it
    -- What it is.
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
    rate TEXT, -- a rate or a schedule of rates
    -- How it is doing.
    status TEXT NOT NULL,
    error_code TEXT,
    status_at INTEGER, -- by the clock of its station
    status_heard_at INTEGER, -- when the status was last received
    status_changed_at INTEGER, -- when it was first received, after another one
    custom_fields TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (chargestation_id, number)
);
CREATE INDEX connectors_by_organization ON connectors (organization_id, created_at);
CREATE INDEX connectors_by_change ON connectors (organization_id, updated_at, id);
CREATE INDEX connectors_by_evse ON connectors (evse_id);
CREATE INDEX connectors_by_rate ON connectors (rate);

-- Every change of a connector's status in its order, also several of one instant.
CREATE TABLE connector_statuses (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    connector_id TEXT NOT NULL REFERENCES connectors (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    status TEXT NOT NULL,
    error_code TEXT
);
CREATE INDEX connector_statuses_by_connector ON connector_statuses (connector_id, at);

-- Limits that an energy manager or grid operator put on a station or one of its EVSEs, as the station reported them.
CREATE TABLE external_limits (
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id) ON DELETE CASCADE,
    evse_number INTEGER NOT NULL, -- 0 is the whole station
    source TEXT NOT NULL,
    evse_id TEXT REFERENCES evses (id) ON DELETE CASCADE,
    grid_critical BOOLEAN,
    local_generation BOOLEAN NOT NULL,
    schedules TEXT NOT NULL,
    told_at INTEGER NOT NULL,
    PRIMARY KEY (chargestation_id, evse_number, source)
);

-- What holds now in charging profiles whose limits are changed or asked for one by one (OCPP 2.1).
CREATE TABLE dynamic_profiles (
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id) ON DELETE CASCADE,
    profile_id INTEGER NOT NULL,
    holding TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (chargestation_id, profile_id)
);

-- ============================================================ drivers and their tokens

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    firstname TEXT NOT NULL,
    lastname TEXT NOT NULL,
    email TEXT,
    active BOOLEAN NOT NULL,
    role TEXT NOT NULL,
    private_group BOOLEAN NOT NULL DEFAULT FALSE, -- sees stations that are not visible to everybody
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
CREATE INDEX users_by_change ON users (organization_id, updated_at, id);
CREATE INDEX users_by_email ON users (email);

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
CREATE INDEX tokens_by_change ON tokens (organization_id, updated_at, id);
CREATE INDEX tokens_by_user ON tokens (user_id);

-- ============================================================ prices: rates, EVSE networks, service offers

CREATE TABLE rates (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    description TEXT,
    currency TEXT NOT NULL,
    price_components TEXT NOT NULL,
    minimum_amount TEXT, -- a decimal, in the currency's major unit
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX rates_by_organization ON rates (organization_id, created_at);
CREATE INDEX rates_by_change ON rates (organization_id, updated_at, id);

CREATE TABLE rate_schedules (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    description TEXT,
    currency TEXT NOT NULL,
    default_rate_id TEXT NOT NULL REFERENCES rates (id),
    layout TEXT NOT NULL, -- which rate holds when
    active BOOLEAN NOT NULL,
    version INTEGER NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX rate_schedules_by_organization ON rate_schedules (organization_id, created_at);
CREATE INDEX rate_schedules_by_change ON rate_schedules (organization_id, updated_at, id);

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
CREATE INDEX evse_networks_by_change ON evse_networks (organization_id, updated_at, id);

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
CREATE INDEX evse_groups_by_change ON evse_groups (organization_id, updated_at, id);

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
    told_status TEXT NOT NULL, -- the status that the last event reported
    version INTEGER NOT NULL,
    original_id TEXT NOT NULL, -- the first version
    previous_id TEXT,
    next_id TEXT,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX service_offers_by_organization ON service_offers (organization_id, created_at);
CREATE INDEX service_offers_by_change ON service_offers (organization_id, updated_at, id);
CREATE INDEX service_offers_by_network ON service_offers (network_id);
CREATE INDEX service_offers_by_original ON service_offers (original_id);

-- ============================================================ charging: sessions, meter values, reservations

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id),
    connector_id TEXT REFERENCES connectors (id), -- null for a stop whose start was never received
    user_id TEXT REFERENCES users (id),
    token_id TEXT REFERENCES tokens (id),
    id_tag TEXT,
    status TEXT NOT NULL,
    type TEXT,
    orphan BOOLEAN NOT NULL, -- a stop whose start was never received
    -- How its messages find it.
    transaction_id INTEGER UNIQUE, -- OCPP 1.6: the number that the station was given
    transaction_name TEXT, -- OCPP 2: the name that the station gave; names may come back
    start_request INTEGER, -- the number by which its station was asked to start it
    start_key TEXT UNIQUE, -- the natural key of its start: a repeated StartTransaction finds it
    stop_key TEXT UNIQUE, -- the same for a stop whose start was never received
    -- From start to end.
    started_at INTEGER,
    begun_at INTEGER, -- when its start was received
    ended_at INTEGER,
    stop_reason TEXT,
    restartable BOOLEAN NOT NULL DEFAULT 0, -- its station ended it unasked: a car that is still there may be started again
    corrections TEXT NOT NULL DEFAULT '[]', -- what was corrected after its end
    -- What it took.
    meter_start INTEGER,
    meter_stop INTEGER,
    energy INTEGER NOT NULL, -- watt-hours delivered
    energy_period INTEGER NOT NULL, -- seconds of drawing energy
    energy_ledger TEXT, -- what proves the energy; null in sessions that are older than the ledger
    flags TEXT NOT NULL DEFAULT '[]', -- what was odd about the energy
    latest TEXT, -- the latest reading
    latest_at INTEGER,
    power INTEGER, -- watts drawn at the latest reading
    charging_state TEXT,
    charging_activity TEXT NOT NULL,
    -- What is wanted of it.
    target TEXT NOT NULL,
    configurations TEXT NOT NULL,
    departure_at INTEGER,
    energy_need INTEGER, -- watt-hours
    power_limit INTEGER, -- watts, set for this session by API
    car_schedule TEXT, -- what the car means to draw, in its station's own words
    -- What it costs.
    rate_id TEXT, -- a rate or a schedule of rates
    rate_version INTEGER,
    service_offer_id TEXT,
    cost TEXT,
    reported_at INTEGER, -- when session.updated was last recorded
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX sessions_by_organization ON sessions (organization_id, created_at);
CREATE INDEX sessions_by_change ON sessions (organization_id, updated_at, id);
CREATE INDEX sessions_by_connector ON sessions (connector_id, created_at);
CREATE INDEX sessions_by_station ON sessions (chargestation_id, created_at);
CREATE INDEX sessions_open ON sessions (status, created_at);
CREATE INDEX sessions_by_transaction_name ON sessions (chargestation_id, transaction_name, created_at);
CREATE INDEX sessions_orphans ON sessions (chargestation_id, created_at) WHERE orphan;
CREATE INDEX sessions_by_end ON sessions (ended_at, id) WHERE ended_at IS NOT NULL;
-- What lists are sorted and filtered by.
CREATE INDEX sessions_by_status ON sessions (organization_id, status, created_at, id);
CREATE INDEX sessions_by_user ON sessions (organization_id, user_id, created_at, id);
CREATE INDEX sessions_by_card ON sessions (organization_id, id_tag, created_at, id);
CREATE INDEX sessions_listed_by_station ON sessions (organization_id, chargestation_id, created_at, id);
CREATE INDEX sessions_listed_by_connector ON sessions (organization_id, connector_id, created_at, id);
CREATE INDEX sessions_by_start ON sessions (organization_id, started_at, id);
CREATE INDEX sessions_by_energy ON sessions (organization_id, energy, id);

-- The prices that a session began with. Apart from sessions, which are read often.
CREATE TABLE session_tariffs (
    session_id TEXT PRIMARY KEY REFERENCES sessions (id),
    tariff TEXT NOT NULL,
    timezone TEXT NOT NULL
);

-- TransactionEvents of OCPP 2. A station may use a number twice for different events.
CREATE TABLE transaction_events (
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq_no INTEGER NOT NULL,
    stage TEXT NOT NULL,
    trigger_reason TEXT NOT NULL,
    at INTEGER NOT NULL, -- by the clock of the station
    received_at INTEGER NOT NULL,
    offline BOOLEAN NOT NULL DEFAULT 0,
    raw TEXT NOT NULL,
    PRIMARY KEY (session_id, seq_no, stage, at, trigger_reason)
);

CREATE TABLE meter_values (
    connector_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    context TEXT NOT NULL,
    session_id TEXT,
    told_at INTEGER, -- by the clock of the station
    received_at INTEGER NOT NULL,
    energy INTEGER, -- watt-hours on the register
    delivered INTEGER, -- watt-hours of the session by then
    power INTEGER, -- watts
    reading TEXT NOT NULL, -- normalised
    raw TEXT NOT NULL, -- as it came
    PRIMARY KEY (connector_id, at, context)
) WITHOUT ROWID;
CREATE INDEX meter_values_by_told ON meter_values (connector_id, told_at);
CREATE INDEX meter_values_by_session ON meter_values (session_id, at) WHERE session_id IS NOT NULL;

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

CREATE TABLE reservations (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id) ON DELETE CASCADE,
    evse_id TEXT NOT NULL REFERENCES evses (id) ON DELETE CASCADE,
    connector_id TEXT NOT NULL REFERENCES connectors (id) ON DELETE CASCADE,
    kept TEXT NOT NULL, -- each connector that is reserved, with the number by which the station knows the reservation
    id_tag TEXT NOT NULL,
    parent_group TEXT,
    token_id TEXT REFERENCES tokens (id) ON DELETE SET NULL,
    user_id TEXT REFERENCES users (id) ON DELETE SET NULL,
    session_id TEXT REFERENCES sessions (id) ON DELETE SET NULL,
    status TEXT NOT NULL,
    reason TEXT,
    expires_at INTEGER NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX reservations_by_organization ON reservations (organization_id, created_at);
CREATE INDEX reservations_by_change ON reservations (organization_id, updated_at, id);
CREATE INDEX reservations_by_station ON reservations (chargestation_id, status);
CREATE INDEX reservations_by_expiry ON reservations (status, expires_at);
CREATE INDEX reservations_by_status ON reservations (organization_id, status, created_at, id);
CREATE INDEX reservations_by_session ON reservations (session_id) WHERE session_id IS NOT NULL;

-- ============================================================ control: commands, templates, charging profiles

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
CREATE INDEX actions_by_change ON actions (organization_id, updated_at, id);
CREATE INDEX actions_by_station ON actions (chargestation_id, created_at);
CREATE INDEX actions_by_type ON actions (organization_id, type, created_at, id);
CREATE INDEX actions_by_status ON actions (organization_id, status, created_at, id);

-- Settings that stations get when they connect.
CREATE TABLE configuration_templates (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    code TEXT,
    description TEXT,
    active BOOLEAN NOT NULL,
    valid_from INTEGER,
    valid_to INTEGER,
    priority INTEGER NOT NULL, -- the highest decides about a key that several set
    protocol TEXT, -- null: stations of every protocol
    location_id TEXT REFERENCES locations (id), -- null: stations everywhere
    settings TEXT NOT NULL,
    batch_size INTEGER NOT NULL, -- keys that are read, changed and read again together
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX configuration_templates_by_organization ON configuration_templates (organization_id, created_at);
CREATE INDEX configuration_templates_by_change ON configuration_templates (organization_id, updated_at, id);

-- Schedules of limits that are attached to EVSEs.
CREATE TABLE charging_profiles (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    code TEXT,
    active BOOLEAN NOT NULL,
    stack_level INTEGER NOT NULL, -- of those that apply at an instant, the highest counts
    type TEXT NOT NULL,
    recurrence TEXT,
    starts_at INTEGER NOT NULL,
    duration_minutes INTEGER,
    valid_from INTEGER,
    valid_to INTEGER,
    unit TEXT NOT NULL,
    periods TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX charging_profiles_by_organization ON charging_profiles (organization_id, created_at);
CREATE INDEX charging_profiles_by_change ON charging_profiles (organization_id, updated_at, id);

CREATE TABLE charging_profile_evses (
    profile_id TEXT NOT NULL REFERENCES charging_profiles (id) ON DELETE CASCADE,
    evse_id TEXT NOT NULL REFERENCES evses (id) ON DELETE CASCADE,
    PRIMARY KEY (profile_id, evse_id)
);
CREATE INDEX charging_profile_evses_by_evse ON charging_profile_evses (evse_id);

-- ============================================================ load management: groups, balancing, assets

CREATE TABLE load_groups (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    location_id TEXT NOT NULL REFERENCES locations (id),
    parent_id TEXT REFERENCES load_groups (id),
    user_id TEXT REFERENCES users (id), -- whose home chargers these are; null: no home user's
    name TEXT NOT NULL,
    description TEXT,
    notes TEXT,
    -- What it may draw.
    maximum_capacity INTEGER NOT NULL, -- watts
    buffer INTEGER NOT NULL, -- parts per million of maximum_capacity
    phase_capacity INTEGER, -- milliamps per phase
    imbalance_limit INTEGER, -- milliamps
    feeder_rating INTEGER, -- watts
    capacity_schedules TEXT NOT NULL DEFAULT '{}',
    external_cap TEXT,
    -- How it is shared.
    algorithm TEXT NOT NULL,
    minimum_connector_capacity INTEGER NOT NULL, -- watts
    fallback_capacity INTEGER, -- watts a connector may draw when its station lost this server
    allow_pause BOOLEAN NOT NULL DEFAULT FALSE,
    trusted_departures BOOLEAN NOT NULL DEFAULT FALSE,
    raise_step INTEGER, -- watts
    hold_minutes INTEGER,
    stop_when_exceeded BOOLEAN NOT NULL DEFAULT FALSE, -- sessions are stopped where nothing else brings it below its limit
    dry_run BOOLEAN NOT NULL,
    exclusion_times TEXT NOT NULL DEFAULT '{"windows": []}', -- when home chargers do not charge
    energy_prices TEXT, -- what energy costs a home user, and when
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX load_groups_by_organization ON load_groups (organization_id, created_at);
CREATE INDEX load_groups_by_change ON load_groups (organization_id, updated_at, id);
CREATE INDEX load_groups_by_location ON load_groups (location_id);
CREATE INDEX load_groups_by_parent ON load_groups (parent_id);
CREATE INDEX load_groups_by_user ON load_groups (user_id);

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

-- The plan ledger: what balancing remembers of a tree of groups, and of each connector in a row of its own.
CREATE TABLE balancing_states (
    group_id TEXT PRIMARY KEY, -- the root of a tree of groups
    state TEXT NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE TABLE balancing_members (
    group_id TEXT NOT NULL, -- the root of its tree of groups
    connector_id TEXT NOT NULL,
    state TEXT NOT NULL, -- what it may still draw, and since when it waits
    PRIMARY KEY (group_id, connector_id)
);

-- Every plan with the snapshot that it was made from: planning that again gives the same bytes.
CREATE TABLE plans (
    id TEXT PRIMARY KEY,
    group_id TEXT NOT NULL, -- the root of its tree of groups
    at INTEGER NOT NULL,
    trigger TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    plan TEXT NOT NULL
);
CREATE INDEX plans_by_group ON plans (group_id, at);

-- Smart meters, producers, consumers and batteries.
CREATE TABLE assets (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    location_id TEXT NOT NULL REFERENCES locations (id),
    group_id TEXT REFERENCES load_groups (id), -- the group whose power it concerns
    name TEXT NOT NULL,
    description TEXT,
    code TEXT,
    type TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    longitude REAL, -- null: where the location is
    latitude REAL,
    electric_current_type TEXT NOT NULL,
    electric_voltage_type TEXT NOT NULL, -- between what `voltage` is measured
    voltage INTEGER, -- millivolts; null means the location's
    power_factor INTEGER NOT NULL, -- parts per million
    meter_scope TEXT, -- of smart meters: what the meter sees
    switched_on BOOLEAN, -- of batteries
    -- What counts when its data is stale.
    static_power INTEGER, -- watts of a consumer
    fluctuation_margin INTEGER NOT NULL, -- watts
    fallback_power INTEGER, -- watts of a smart meter
    peaks TEXT, -- the highest load that a smart meter showed on each of its last days
    -- What it measured last.
    latest TEXT, -- the latest reading
    latest_at INTEGER, -- when it was measured, or when it came if that was earlier
    received_at INTEGER, -- when it came, by our clock
    fresh_until INTEGER, -- from then on its data is stale
    interval_seconds INTEGER, -- learnt: how far apart readings usually are
    meter_clock TEXT, -- what live readings showed of its clock
    refused TEXT, -- the last reading that no hardware gives, until a better one comes
    reported_at INTEGER, -- when asset.reading.created was last recorded
    custom_fields TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX assets_by_organization ON assets (organization_id, created_at);
CREATE INDEX assets_by_change ON assets (organization_id, updated_at, id);
CREATE INDEX assets_by_location ON assets (location_id);
CREATE INDEX assets_by_group ON assets (group_id);

CREATE TABLE asset_readings (
    asset_id TEXT NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    power INTEGER NOT NULL, -- watts, signed as the asset's type has it
    reading TEXT NOT NULL, -- normalised
    PRIMARY KEY (asset_id, at)
);

-- ============================================================ home users: portal, priority charges, e-mails

-- Charges that go before the exclusion times of a home user's group, and requests for one that were refused.
CREATE TABLE priority_charges (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    group_id TEXT NOT NULL REFERENCES load_groups (id) ON DELETE CASCADE,
    user_id TEXT REFERENCES users (id) ON DELETE SET NULL, -- who asked; null: the operator
    status TEXT NOT NULL,
    reason TEXT,
    session_id TEXT REFERENCES sessions (id) ON DELETE SET NULL,
    expires_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX priority_charges_by_group ON priority_charges (group_id, created_at);
CREATE INDEX priority_charges_by_change ON priority_charges (group_id, updated_at, id);
CREATE INDEX priority_charges_by_expiry ON priority_charges (status, expires_at);
CREATE INDEX priority_charges_by_session ON priority_charges (session_id) WHERE session_id IS NOT NULL;
-- A group has one at a time.
CREATE UNIQUE INDEX priority_charges_open ON priority_charges (group_id) WHERE status IN ('waiting', 'active');

-- Users who may log in to the portal.
CREATE TABLE home_users (
    id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    password_hash TEXT, -- null until an invitation is accepted
    invited_at INTEGER NOT NULL,
    accepted_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX home_users_by_organization ON home_users (organization_id, created_at);
CREATE INDEX home_users_by_change ON home_users (organization_id, updated_at, id);

-- Links in e-mails, each for one use; only their hashes are kept.
CREATE TABLE home_links (
    hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES home_users (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    email TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX home_links_by_user ON home_links (user_id);

-- A login and the refresh tokens that followed each other in it.
CREATE TABLE home_logins (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES home_users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX home_logins_by_user ON home_logins (user_id);
CREATE TABLE home_refresh_tokens (
    hash TEXT PRIMARY KEY,
    login_id TEXT NOT NULL REFERENCES home_logins (id) ON DELETE CASCADE,
    used_at INTEGER
);
CREATE INDEX home_refresh_tokens_by_login ON home_refresh_tokens (login_id);

-- Wrong passwords for an account from an address of the network; an empty address counts those of all. Whether the account
-- exists makes no difference.
CREATE TABLE login_attempts (
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    failures INTEGER NOT NULL,
    locked_until INTEGER,
    proven_at INTEGER, -- when the right password last came from there
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (account, address)
);

-- E-mails on their way.
CREATE TABLE letters (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    email TEXT NOT NULL,
    organization_id TEXT REFERENCES organizations (id),
    user_id TEXT REFERENCES home_users (id) ON DELETE CASCADE,
    group_id TEXT REFERENCES load_groups (id) ON DELETE CASCADE,
    subject TEXT, -- null: written when it is sent, so that no link is kept here
    body TEXT,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    sent_at INTEGER,
    created_at INTEGER NOT NULL
);
CREATE INDEX letters_by_turn ON letters (sent_at, next_at);
CREATE INDEX letters_by_address ON letters (email, created_at);

-- ============================================================ events and webhooks

-- What happened, written in the transaction of the change. SQLite has one writer: cursors are committed in the order in which
-- they are taken.
CREATE TABLE events (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL, -- begins with the second in which it was made
    organization_id TEXT NOT NULL,
    type TEXT NOT NULL,
    object TEXT NOT NULL,
    chargestation_id TEXT,
    data TEXT NOT NULL, -- the whole object as JSON
    created_at INTEGER NOT NULL
);
CREATE INDEX events_by_organization ON events (organization_id, cursor);
CREATE INDEX events_by_id ON events (organization_id, id);
CREATE INDEX events_by_type ON events (organization_id, type, cursor);

CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    url TEXT NOT NULL,
    events TEXT NOT NULL, -- names with commas between, * stands for anything
    description TEXT,
    active BOOLEAN NOT NULL,
    scopes TEXT, -- those of the key that made or last changed it: it gets what that key could read; null: everything
    secret TEXT NOT NULL, -- sealed with the server's key
    secret_lost BOOLEAN NOT NULL DEFAULT FALSE, -- sealed with another key: it cannot sign
    previous_secret TEXT,
    previous_until INTEGER, -- the secret before signs until then
    cursor INTEGER NOT NULL, -- events up to here became deliveries
    failing_since INTEGER, -- since when every attempt failed, whatever the event
    alert_email TEXT,
    alerted_at INTEGER,
    disabled_reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX webhooks_by_organization ON webhooks (organization_id, created_at);
CREATE INDEX webhooks_by_change ON webhooks (organization_id, updated_at, id);

CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    webhook_id TEXT NOT NULL REFERENCES webhooks (id),
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    cursor INTEGER NOT NULL,
    ordering TEXT NOT NULL, -- those of one key are sent one after the other
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    failing_since INTEGER, -- since when every attempt failed
    history TEXT NOT NULL DEFAULT '[]', -- the last attempts
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, ordering, cursor, id) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_done ON webhook_deliveries (updated_at) WHERE status <> 'pending';
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (webhook_id, created_at);
CREATE INDEX webhook_deliveries_by_change ON webhook_deliveries (webhook_id, updated_at, id);
CREATE INDEX webhook_deliveries_by_type ON webhook_deliveries (webhook_id, type, created_at, id);
CREATE UNIQUE INDEX webhook_deliveries_by_event ON webhook_deliveries (webhook_id, event_id);

-- ============================================================ the server itself

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
);
INSERT INTO counters (name, value) VALUES ('transaction', 0), ('reservation', 0);

-- What this server keeps to itself, such as the key that signs access tokens.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

-- ============================================================ searches

-- What searches look at: a text of each user, token and charge station, and each card that ever charged, followed by triggers.
-- A migration that builds one of these tables anew makes its triggers anew too.
CREATE TABLE searched_texts (
    number INTEGER PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    of_id TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (organization_id, kind, of_id)
);
CREATE VIRTUAL TABLE searched_trigrams USING fts5 (text, content = 'searched_texts', content_rowid = 'number', tokenize = 'trigram');
CREATE TRIGGER searched_texts_insert AFTER INSERT ON searched_texts BEGIN
    INSERT INTO searched_trigrams (rowid, text) VALUES (NEW.number, NEW.text);
END;
CREATE TRIGGER searched_texts_delete AFTER DELETE ON searched_texts BEGIN
    INSERT INTO searched_trigrams (searched_trigrams, rowid, text) VALUES ('delete', OLD.number, OLD.text);
END;
CREATE TRIGGER searched_texts_update AFTER UPDATE OF text ON searched_texts BEGIN
    INSERT INTO searched_trigrams (searched_trigrams, rowid, text) VALUES ('delete', OLD.number, OLD.text);
    INSERT INTO searched_trigrams (rowid, text) VALUES (NEW.number, NEW.text);
END;

CREATE TRIGGER users_searched_insert AFTER INSERT ON users BEGIN
    INSERT INTO searched_texts (organization_id, kind, of_id, text)
    VALUES (NEW.organization_id, 'user', NEW.id, lower(concat_ws(char(10), NEW.firstname || ' ' || NEW.lastname, NEW.email)));
END;
CREATE TRIGGER users_searched_update AFTER UPDATE OF firstname, lastname, email ON users BEGIN
    UPDATE searched_texts SET text = lower(concat_ws(char(10), NEW.firstname || ' ' || NEW.lastname, NEW.email))
    WHERE organization_id = NEW.organization_id AND kind = 'user' AND of_id = NEW.id;
END;
CREATE TRIGGER users_searched_delete AFTER DELETE ON users BEGIN
    DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = 'user' AND of_id = OLD.id;
END;

CREATE TRIGGER tokens_searched_insert AFTER INSERT ON tokens BEGIN
    INSERT INTO searched_texts (organization_id, kind, of_id, text)
    VALUES (NEW.organization_id, 'token', NEW.id, lower(concat_ws(char(10), NEW.physical_id, NEW.parent_group)));
END;
CREATE TRIGGER tokens_searched_update AFTER UPDATE OF physical_id, parent_group ON tokens BEGIN
    UPDATE searched_texts SET text = lower(concat_ws(char(10), NEW.physical_id, NEW.parent_group))
    WHERE organization_id = NEW.organization_id AND kind = 'token' AND of_id = NEW.id;
END;
CREATE TRIGGER tokens_searched_delete AFTER DELETE ON tokens BEGIN
    DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = 'token' AND of_id = OLD.id;
END;

CREATE TRIGGER chargestations_searched_insert AFTER INSERT ON chargestations BEGIN
    INSERT INTO searched_texts (organization_id, kind, of_id, text)
    VALUES (NEW.organization_id, 'chargestation', NEW.id, lower(concat_ws(char(10), NEW.name, NEW.code, NEW.endpoint, NEW.manufacturer, NEW.model, NEW.boot_vendor, NEW.boot_model)));
END;
CREATE TRIGGER chargestations_searched_update AFTER UPDATE OF name, code, endpoint, manufacturer, model, boot_vendor, boot_model ON chargestations BEGIN
    UPDATE searched_texts SET text = lower(concat_ws(char(10), NEW.name, NEW.code, NEW.endpoint, NEW.manufacturer, NEW.model, NEW.boot_vendor, NEW.boot_model))
    WHERE organization_id = NEW.organization_id AND kind = 'chargestation' AND of_id = NEW.id;
END;
CREATE TRIGGER chargestations_searched_delete AFTER DELETE ON chargestations BEGIN
    DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = 'chargestation' AND of_id = OLD.id;
END;

CREATE TRIGGER sessions_searched_insert AFTER INSERT ON sessions WHEN NEW.id_tag IS NOT NULL BEGIN
    INSERT INTO searched_texts (organization_id, kind, of_id, text)
    SELECT NEW.organization_id, 'card', NEW.id_tag, lower(NEW.id_tag) WHERE NOT EXISTS
        (SELECT 1 FROM searched_texts WHERE organization_id = NEW.organization_id AND kind = 'card' AND of_id = NEW.id_tag);
END;
CREATE TRIGGER sessions_searched_update AFTER UPDATE OF id_tag ON sessions WHEN NEW.id_tag IS NOT NULL BEGIN
    INSERT INTO searched_texts (organization_id, kind, of_id, text)
    SELECT NEW.organization_id, 'card', NEW.id_tag, lower(NEW.id_tag) WHERE NOT EXISTS
        (SELECT 1 FROM searched_texts WHERE organization_id = NEW.organization_id AND kind = 'card' AND of_id = NEW.id_tag);
END;
CREATE TRIGGER sessions_searched_delete AFTER DELETE ON sessions WHEN OLD.id_tag IS NOT NULL BEGIN
    DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = 'card' AND of_id = OLD.id_tag AND NOT EXISTS
        (SELECT 1 FROM sessions WHERE organization_id = OLD.organization_id AND id_tag = OLD.id_tag);
END;
