-- The whole schema as version 0.1.0 has it, in the order of what refers to what. Every later change is a migration of its own.
--
-- Both stores have the same tables, columns and indexes. Here times are TIMESTAMPTZ, documents are JSONB.

-- ============================================================ organizations and who may call

CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    unknown_cards TEXT NOT NULL DEFAULT 'refuse', -- what a card gets that no token knows
    concurrent_cards TEXT NOT NULL DEFAULT 'accept', -- what a card gets that is in use elsewhere
    unknown_connectors TEXT NOT NULL DEFAULT 'report', -- what becomes of a connector that a station reports and nobody set up
    default_security TEXT NOT NULL DEFAULT 'none', -- how a new station authenticates, where nothing else is said
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    mode TEXT NOT NULL, -- live or test
    hint TEXT NOT NULL, -- the key's first characters, to recognise it by
    secret_hash TEXT NOT NULL UNIQUE,
    scopes JSONB NOT NULL,
    active BOOLEAN NOT NULL,
    expires_at TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
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
    scopes JSONB, -- those that the request needed: a repetition is answered to who still has them
    created_at TIMESTAMPTZ NOT NULL,
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
    address JSONB NOT NULL,
    longitude DOUBLE PRECISION NOT NULL,
    latitude DOUBLE PRECISION NOT NULL,
    timezone TEXT NOT NULL,
    opening_hours JSONB NOT NULL,
    balancing_basis TEXT NOT NULL,
    voltage BIGINT NOT NULL, -- millivolts
    unknown_cards TEXT, -- null: as its organization has it
    concurrent_cards TEXT, -- null: as its organization has it
    custom_fields JSONB NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
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
    longitude DOUBLE PRECISION,
    latitude DOUBLE PRECISION,
    active BOOLEAN NOT NULL,
    public BOOLEAN NOT NULL,
    visible BOOLEAN NOT NULL,
    is_simulator BOOLEAN NOT NULL,
    operational_status TEXT NOT NULL,
    closed_by_hours BOOLEAN NOT NULL DEFAULT FALSE, -- out of use because its location is closed
    unknown_connectors TEXT, -- null: as its organization has it
    -- How it connects and authenticates.
    protocol TEXT NOT NULL,
    pinned_protocol TEXT, -- the only version that it may speak; null: any
    endpoint TEXT NOT NULL UNIQUE, -- the last segment of connection_url
    endpoint_is_secret BOOLEAN NOT NULL DEFAULT FALSE, -- drawn at random and long enough to be all that the station has to know
    security_type TEXT NOT NULL,
    requires_tls BOOLEAN NOT NULL DEFAULT FALSE,
    password_hash TEXT,
    pending_passwords JSONB NOT NULL DEFAULT '[]', -- hashes of passwords that it was sent and has not connected with yet
    registration TEXT NOT NULL, -- what its BootNotification is answered
    online BOOLEAN NOT NULL,
    last_connect_at TIMESTAMPTZ,
    last_disconnect_at TIMESTAMPTZ,
    last_message_at TIMESTAMPTZ,
    last_boot_at TIMESTAMPTZ,
    clock_offset_seconds BIGINT, -- how far its clock is ahead of ours, by its last live messages
    -- What it reported and what was learnt about it.
    boot_configuration JSONB NOT NULL,
    boot_info JSONB NOT NULL, -- its last BootNotification
    boot_vendor TEXT, -- from boot_info, where lists can search it
    boot_model TEXT,
    configuration JSONB NOT NULL,
    variables JSONB NOT NULL,
    capabilities JSONB NOT NULL, -- what was learnt about its smart charging
    limit_forms JSONB NOT NULL DEFAULT '{}', -- the variants of charging profiles that it accepted or refused
    flags JSONB NOT NULL, -- where it deviates from the specification
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
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
    custom_fields JSONB NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
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
    power BIGINT NOT NULL, -- watts
    voltage_limit BIGINT, -- millivolts
    amperage_limit BIGINT, -- milliamps
    wattage_limit BIGINT, -- watts
    power_factor DOUBLE PRECISION NOT NULL,
    phases INTEGER, -- 1 or 3; null when unknown
    phase_rotation TEXT,
    rate TEXT, -- a rate or a schedule of rates
    -- How it is doing.
    status TEXT NOT NULL,
    error_code TEXT,
    status_at TIMESTAMPTZ, -- by the clock of its station
    status_heard_at TIMESTAMPTZ, -- when the status was last received
    status_changed_at TIMESTAMPTZ, -- when it was first received, after another one
    custom_fields JSONB NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (chargestation_id, number)
);
CREATE INDEX connectors_by_organization ON connectors (organization_id, created_at);
CREATE INDEX connectors_by_change ON connectors (organization_id, updated_at, id);
CREATE INDEX connectors_by_evse ON connectors (evse_id);
CREATE INDEX connectors_by_rate ON connectors (rate);

-- Every change of a connector's status in its order, also several of one instant.
CREATE TABLE connector_statuses (
    id BIGSERIAL PRIMARY KEY,
    connector_id TEXT NOT NULL REFERENCES connectors (id) ON DELETE CASCADE,
    at TIMESTAMPTZ NOT NULL,
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
    schedules JSONB NOT NULL,
    told_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (chargestation_id, evse_number, source)
);

-- What holds now in charging profiles whose limits are changed or asked for one by one (OCPP 2.1).
CREATE TABLE dynamic_profiles (
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id) ON DELETE CASCADE,
    profile_id BIGINT NOT NULL,
    holding JSONB NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
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
    address JSONB NOT NULL,
    phone JSONB NOT NULL,
    favorite_chargestations JSONB NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
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
    expires_at TIMESTAMPTZ,
    parent_group TEXT,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
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
    price_components JSONB NOT NULL,
    minimum_amount TEXT, -- a decimal, in the currency's major unit
    active BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
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
    layout JSONB NOT NULL, -- which rate holds when
    active BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX rate_schedules_by_organization ON rate_schedules (organization_id, created_at);
CREATE INDEX rate_schedules_by_change ON rate_schedules (organization_id, updated_at, id);

CREATE TABLE evse_networks (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    description TEXT,
    status TEXT NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
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
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    UNIQUE (network_id, name)
);
CREATE INDEX evse_groups_by_change ON evse_groups (organization_id, updated_at, id);

CREATE TABLE network_evses (
    evse_id TEXT PRIMARY KEY REFERENCES evses (id), -- so an EVSE is in one group of one network at most
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    network_id TEXT NOT NULL REFERENCES evse_networks (id),
    group_id TEXT NOT NULL REFERENCES evse_groups (id),
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX network_evses_by_network ON network_evses (network_id);
CREATE INDEX network_evses_by_group ON network_evses (group_id);

CREATE TABLE service_offers (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    network_id TEXT NOT NULL REFERENCES evse_networks (id),
    name TEXT NOT NULL,
    content JSONB NOT NULL, -- tariffs, products, audience and terms
    published_at TIMESTAMPTZ, -- null: a draft
    valid_from TIMESTAMPTZ,
    ends_at TIMESTAMPTZ, -- the end of its validity, its cancellation, or its successor's start
    cancelled BOOLEAN NOT NULL,
    told_status TEXT NOT NULL, -- the status that the last event reported
    version BIGINT NOT NULL,
    original_id TEXT NOT NULL, -- the first version
    previous_id TEXT,
    next_id TEXT,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
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
    transaction_id BIGINT UNIQUE, -- OCPP 1.6: the number that the station was given
    transaction_name TEXT, -- OCPP 2: the name that the station gave; names may come back
    start_request BIGINT, -- the number by which its station was asked to start it
    start_key TEXT UNIQUE, -- the natural key of its start: a repeated StartTransaction finds it
    stop_key TEXT UNIQUE, -- the same for a stop whose start was never received
    -- From start to end.
    started_at TIMESTAMPTZ,
    begun_at TIMESTAMPTZ, -- when its start was received
    ended_at TIMESTAMPTZ,
    stop_reason TEXT,
    restartable BOOLEAN NOT NULL DEFAULT FALSE, -- its station ended it unasked: a car that is still there may be started again
    corrections JSONB NOT NULL DEFAULT '[]', -- what was corrected after its end
    -- What it took.
    meter_start BIGINT,
    meter_stop BIGINT,
    energy BIGINT NOT NULL, -- watt-hours delivered
    energy_period BIGINT NOT NULL, -- seconds of drawing energy
    energy_ledger JSONB, -- what proves the energy; null in sessions that are older than the ledger
    flags JSONB NOT NULL DEFAULT '[]', -- what was odd about the energy
    latest JSONB, -- the latest reading
    latest_at TIMESTAMPTZ,
    power BIGINT, -- watts drawn at the latest reading
    charging_state TEXT,
    charging_activity JSONB NOT NULL,
    -- What is wanted of it.
    target JSONB NOT NULL,
    configurations JSONB NOT NULL,
    departure_at TIMESTAMPTZ,
    energy_need BIGINT, -- watt-hours
    power_limit BIGINT, -- watts, set for this session by API
    car_schedule JSONB, -- what the car means to draw, in its station's own words
    -- What it costs.
    rate_id TEXT, -- a rate or a schedule of rates
    rate_version BIGINT,
    service_offer_id TEXT,
    cost JSONB,
    reported_at TIMESTAMPTZ, -- when session.updated was last recorded
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
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
    tariff JSONB NOT NULL,
    timezone TEXT NOT NULL
);

-- TransactionEvents of OCPP 2. A station may use a number twice for different events. The names of its constraints are those of
-- stores from before 0.1.0.
CREATE TABLE transaction_events (
    session_id TEXT NOT NULL CONSTRAINT transaction_events_told_session_id_fkey REFERENCES sessions (id) ON DELETE CASCADE,
    seq_no BIGINT NOT NULL,
    stage TEXT NOT NULL,
    trigger_reason TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL, -- by the clock of the station
    received_at TIMESTAMPTZ NOT NULL,
    offline BOOLEAN NOT NULL DEFAULT FALSE,
    raw TEXT NOT NULL,
    CONSTRAINT transaction_events_told_pkey PRIMARY KEY (session_id, seq_no, stage, at, trigger_reason)
);

CREATE TABLE meter_values (
    connector_id TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    context TEXT NOT NULL,
    session_id TEXT,
    told_at TIMESTAMPTZ, -- by the clock of the station
    received_at TIMESTAMPTZ NOT NULL,
    energy BIGINT, -- watt-hours on the register
    delivered BIGINT, -- watt-hours of the session by then
    power BIGINT, -- watts
    reading JSONB NOT NULL, -- normalised
    raw TEXT NOT NULL, -- as it came
    PRIMARY KEY (connector_id, at, context)
);
CREATE INDEX meter_values_by_told ON meter_values (connector_id, told_at);
CREATE INDEX meter_values_by_session ON meter_values (session_id, at) WHERE session_id IS NOT NULL;

-- What meters signed, byte for byte.
CREATE TABLE meter_evidence (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id) ON DELETE CASCADE,
    connector_id TEXT,
    session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE,
    told_at TIMESTAMPTZ NOT NULL, -- by the clock of the station
    received_at TIMESTAMPTZ NOT NULL,
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
    kept JSONB NOT NULL, -- each connector that is reserved, with the number by which the station knows the reservation
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
    data JSONB NOT NULL,
    response_data JSONB,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
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
    starts_at TIMESTAMPTZ NOT NULL,
    duration_minutes INTEGER,
    valid_from TIMESTAMPTZ,
    valid_to TIMESTAMPTZ,
    unit TEXT NOT NULL,
    periods JSONB NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
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
    maximum_capacity BIGINT NOT NULL, -- watts
    buffer BIGINT NOT NULL, -- parts per million of maximum_capacity
    phase_capacity BIGINT, -- milliamps per phase
    imbalance_limit BIGINT, -- milliamps
    feeder_rating BIGINT, -- watts
    capacity_schedules JSONB NOT NULL DEFAULT '{}',
    external_cap JSONB,
    -- How it is shared.
    algorithm TEXT NOT NULL,
    minimum_connector_capacity BIGINT NOT NULL, -- watts
    fallback_capacity BIGINT, -- watts a connector may draw when its station lost this server
    allow_pause BOOLEAN NOT NULL DEFAULT FALSE,
    trusted_departures BOOLEAN NOT NULL DEFAULT FALSE,
    raise_step BIGINT, -- watts
    hold_minutes BIGINT,
    stop_when_exceeded BOOLEAN NOT NULL DEFAULT FALSE, -- sessions are stopped where nothing else brings it below its limit
    dry_run BOOLEAN NOT NULL,
    exclusion_times JSONB NOT NULL DEFAULT '{"windows": []}', -- when home chargers do not charge
    energy_prices JSONB, -- what energy costs a home user, and when
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
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
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX group_stations_by_group ON group_stations (group_id);

CREATE TABLE group_connectors (
    connector_id TEXT PRIMARY KEY REFERENCES connectors (id),
    group_id TEXT NOT NULL REFERENCES load_groups (id),
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id),
    maximum_capacity BIGINT, -- watts; null means what the connector can do
    minimum_capacity BIGINT, -- watts; null means the group's minimum
    priority BIGINT NOT NULL
);
CREATE INDEX group_connectors_by_group ON group_connectors (group_id);
CREATE INDEX group_connectors_by_station ON group_connectors (chargestation_id);

-- The plan ledger: what balancing remembers of a tree of groups, and of each connector in a row of its own.
CREATE TABLE balancing_states (
    group_id TEXT PRIMARY KEY, -- the root of a tree of groups
    state JSONB NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE balancing_members (
    group_id TEXT NOT NULL, -- the root of its tree of groups
    connector_id TEXT NOT NULL,
    state JSONB NOT NULL, -- what it may still draw, and since when it waits
    PRIMARY KEY (group_id, connector_id)
);

-- Every plan with the snapshot that it was made from: planning that again gives the same bytes.
CREATE TABLE plans (
    id TEXT PRIMARY KEY,
    group_id TEXT NOT NULL, -- the root of its tree of groups
    at TIMESTAMPTZ NOT NULL,
    trigger TEXT NOT NULL,
    snapshot JSONB NOT NULL,
    plan JSONB NOT NULL
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
    longitude DOUBLE PRECISION, -- null: where the location is
    latitude DOUBLE PRECISION,
    electric_current_type TEXT NOT NULL,
    electric_voltage_type TEXT NOT NULL, -- between what `voltage` is measured
    voltage BIGINT, -- millivolts; null means the location's
    power_factor BIGINT NOT NULL, -- parts per million
    meter_scope TEXT, -- of smart meters: what the meter sees
    switched_on BOOLEAN, -- of batteries
    -- What counts when its data is stale.
    static_power BIGINT, -- watts of a consumer
    fluctuation_margin BIGINT NOT NULL, -- watts
    fallback_power BIGINT, -- watts of a smart meter
    peaks JSONB, -- the highest load that a smart meter showed on each of its last days
    -- What it measured last.
    latest JSONB, -- the latest reading
    latest_at TIMESTAMPTZ, -- when it was measured, or when it came if that was earlier
    received_at TIMESTAMPTZ, -- when it came, by our clock
    fresh_until TIMESTAMPTZ, -- from then on its data is stale
    interval_seconds BIGINT, -- learnt: how far apart readings usually are
    meter_clock JSONB, -- what live readings showed of its clock
    refused JSONB, -- the last reading that no hardware gives, until a better one comes
    reported_at TIMESTAMPTZ, -- when asset.reading.created was last recorded
    custom_fields JSONB NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX assets_by_organization ON assets (organization_id, created_at);
CREATE INDEX assets_by_change ON assets (organization_id, updated_at, id);
CREATE INDEX assets_by_location ON assets (location_id);
CREATE INDEX assets_by_group ON assets (group_id);

CREATE TABLE asset_readings (
    asset_id TEXT NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
    at TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    power BIGINT NOT NULL, -- watts, signed as the asset's type has it
    reading JSONB NOT NULL, -- normalised
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
    expires_at TIMESTAMPTZ NOT NULL,
    started_at TIMESTAMPTZ,
    ended_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
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
    invited_at TIMESTAMPTZ NOT NULL,
    accepted_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX home_users_by_organization ON home_users (organization_id, created_at);
CREATE INDEX home_users_by_change ON home_users (organization_id, updated_at, id);

-- Links in e-mails, each for one use; only their hashes are kept.
CREATE TABLE home_links (
    hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES home_users (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    email TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX home_links_by_user ON home_links (user_id);

-- A login and the refresh tokens that followed each other in it.
CREATE TABLE home_logins (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES home_users (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX home_logins_by_user ON home_logins (user_id);
CREATE TABLE home_refresh_tokens (
    hash TEXT PRIMARY KEY,
    login_id TEXT NOT NULL REFERENCES home_logins (id) ON DELETE CASCADE,
    used_at TIMESTAMPTZ
);
CREATE INDEX home_refresh_tokens_by_login ON home_refresh_tokens (login_id);

-- Wrong passwords for an account from an address of the network; an empty address counts those of all. Whether the account
-- exists makes no difference.
CREATE TABLE login_attempts (
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    failures BIGINT NOT NULL,
    locked_until TIMESTAMPTZ,
    proven_at TIMESTAMPTZ, -- when the right password last came from there
    updated_at TIMESTAMPTZ NOT NULL,
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
    attempts BIGINT NOT NULL,
    next_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX letters_by_turn ON letters (sent_at, next_at);
CREATE INDEX letters_by_address ON letters (email, created_at);

-- ============================================================ events and webhooks

-- What happened, written in the transaction of the change.
CREATE TABLE events (
    cursor BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL, -- begins with the second in which it was made
    organization_id TEXT NOT NULL,
    type TEXT NOT NULL,
    object TEXT NOT NULL,
    chargestation_id TEXT,
    data TEXT NOT NULL, -- the whole object as JSON
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX events_by_organization ON events (organization_id, cursor);
CREATE INDEX events_by_id ON events (organization_id, id);
CREATE INDEX events_by_type ON events (organization_id, type, cursor);

-- Several writers take cursors at once and commit in any order, so a reader could pass a cursor that is committed later.
-- Each transaction that writes events therefore first locks, shared, the newest cursor that was taken before its own; the
-- lock ends with the transaction. Up to the lowest of these nothing can come any more: events_settled().
--
-- The key of a lock is 0x4556 ("EV") in its upper 16 bits and the cursor in the others.
CREATE FUNCTION events_newest_taken() RETURNS BIGINT LANGUAGE SQL VOLATILE AS
    'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_cursor_seq';

CREATE FUNCTION events_announce() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('evenwatt.announced', TRUE), '') = '' THEN
        PERFORM pg_advisory_xact_lock_shared((x'4556'::BIGINT << 48) | events_newest_taken());
        PERFORM set_config('evenwatt.announced', 'yes', TRUE);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER events_announce BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION events_announce();

-- Ask in a statement of its own, before reading: what is read after has every event up to here.
CREATE FUNCTION events_settled() RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    taken BIGINT := events_newest_taken(); -- before the locks are looked at
BEGIN
    RETURN least(taken, (
        SELECT min(((classid::BIGINT & x'FFFF'::BIGINT) << 32) | objid::BIGINT) FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND classid::BIGINT >> 16 = x'4556'::BIGINT
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())));
END $$;

CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    url TEXT NOT NULL,
    events TEXT NOT NULL, -- names with commas between, * stands for anything
    description TEXT,
    active BOOLEAN NOT NULL,
    scopes JSONB, -- those of the key that made or last changed it: it gets what that key could read; null: everything
    secret TEXT NOT NULL, -- sealed with the server's key
    secret_lost BOOLEAN NOT NULL DEFAULT FALSE, -- sealed with another key: it cannot sign
    previous_secret TEXT,
    previous_until TIMESTAMPTZ, -- the secret before signs until then
    cursor BIGINT NOT NULL, -- events up to here became deliveries
    failing_since TIMESTAMPTZ, -- since when every attempt failed, whatever the event
    alert_email TEXT,
    alerted_at TIMESTAMPTZ,
    disabled_reason TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX webhooks_by_organization ON webhooks (organization_id, created_at);
CREATE INDEX webhooks_by_change ON webhooks (organization_id, updated_at, id);

CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    webhook_id TEXT NOT NULL REFERENCES webhooks (id),
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    cursor BIGINT NOT NULL,
    ordering TEXT NOT NULL, -- those of one key are sent one after the other
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at TIMESTAMPTZ NOT NULL,
    failing_since TIMESTAMPTZ, -- since when every attempt failed
    history JSONB NOT NULL DEFAULT '[]', -- the last attempts
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
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
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('transaction', 0), ('reservation', 0);

-- What this server keeps to itself, such as the key that signs access tokens.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- What ends a long query on SQLite, where it is a function of the program; here statement_timeout does, and this vanishes in
-- planning.
CREATE FUNCTION in_time() RETURNS BOOLEAN LANGUAGE sql IMMUTABLE AS 'SELECT true';

-- ============================================================ searches

-- What searches look at: a text of each user, token and charge station, and each card that ever charged, followed by triggers.
CREATE TABLE searched_texts (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    of_id TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (organization_id, kind, of_id)
);
-- The extension is trusted since PostgreSQL 13; where it may not be made, searches look at all texts of an organization.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX searched_trigrams ON searched_texts USING gin (text gin_trgm_ops);
EXCEPTION WHEN OTHERS THEN
    RAISE NOTICE 'searches have no index: %', SQLERRM;
END
$$;

-- Columns of a row, a line each; the parts of a name, joined by a plus, share theirs.
CREATE FUNCTION searched_text_of(this JSONB, columns TEXT[]) RETURNS TEXT LANGUAGE sql AS $$
    SELECT lower(string_agg(
        (SELECT string_agg(this ->> part, ' ' ORDER BY place) FROM unnest(string_to_array(name, '+')) WITH ORDINALITY AS parts (part, place)),
        chr(10) ORDER BY number))
    FROM unnest(columns) WITH ORDINALITY AS names (name, number)
$$;
-- Arguments: the kind, then the columns.
CREATE FUNCTION searched_texts_follow() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = TG_ARGV[0] AND of_id = OLD.id;
    ELSE
        INSERT INTO searched_texts (organization_id, kind, of_id, text)
        VALUES (NEW.organization_id, TG_ARGV[0], NEW.id, searched_text_of(to_jsonb(NEW), TG_ARGV[1:]))
        ON CONFLICT (organization_id, kind, of_id) DO UPDATE SET text = EXCLUDED.text WHERE searched_texts.text <> EXCLUDED.text;
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION searched_texts_follow_card() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM searched_texts WHERE organization_id = OLD.organization_id AND kind = 'card' AND of_id = OLD.id_tag AND NOT EXISTS
            (SELECT 1 FROM sessions WHERE organization_id = OLD.organization_id AND id_tag = OLD.id_tag);
    ELSIF NEW.id_tag IS NOT NULL THEN
        INSERT INTO searched_texts (organization_id, kind, of_id, text)
        SELECT NEW.organization_id, 'card', NEW.id_tag, lower(NEW.id_tag) WHERE NOT EXISTS
            (SELECT 1 FROM searched_texts WHERE organization_id = NEW.organization_id AND kind = 'card' AND of_id = NEW.id_tag)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER users_searched AFTER INSERT OR DELETE OR UPDATE OF firstname, lastname, email ON users
    FOR EACH ROW EXECUTE FUNCTION searched_texts_follow('user', 'firstname+lastname', 'email');

CREATE TRIGGER tokens_searched AFTER INSERT OR DELETE OR UPDATE OF physical_id, parent_group ON tokens
    FOR EACH ROW EXECUTE FUNCTION searched_texts_follow('token', 'physical_id', 'parent_group');

CREATE TRIGGER chargestations_searched AFTER INSERT OR DELETE OR UPDATE OF name, code, endpoint, manufacturer, model, boot_vendor, boot_model ON chargestations
    FOR EACH ROW EXECUTE FUNCTION searched_texts_follow('chargestation', 'name', 'code', 'endpoint', 'manufacturer', 'model', 'boot_vendor', 'boot_model');

CREATE TRIGGER sessions_searched AFTER INSERT OR DELETE OR UPDATE OF id_tag ON sessions
    FOR EACH ROW EXECUTE FUNCTION searched_texts_follow_card();
