-- Assets: smart meters, producers, consumers and batteries, with what they measured.

CREATE TABLE assets (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    location_id TEXT NOT NULL REFERENCES locations (id),
    group_id TEXT REFERENCES load_groups (id), -- the group whose power it concerns
    name TEXT NOT NULL,
    description TEXT,
    code TEXT,
    type TEXT NOT NULL,
    electric_current_type TEXT NOT NULL,
    electric_voltage_type TEXT NOT NULL, -- between what `voltage` is measured
    voltage BIGINT, -- millivolts; null means the location's
    power_factor BIGINT NOT NULL, -- parts per million
    longitude DOUBLE PRECISION, -- null means where the location is
    latitude DOUBLE PRECISION,
    meter_scope TEXT, -- of smart meters: what the meter sees
    static_power BIGINT, -- watts a consumer counts with when its data is stale
    fluctuation_margin BIGINT NOT NULL, -- watts
    fallback_power BIGINT, -- watts a smart meter counts with when its data is stale
    switched_on BOOLEAN, -- of batteries
    active BOOLEAN NOT NULL,
    latest JSONB, -- the latest reading
    latest_at TIMESTAMPTZ, -- when it was measured, or when it came if that was earlier
    fresh_until TIMESTAMPTZ, -- from then on its data is stale
    interval_seconds BIGINT, -- learnt: how far apart readings usually are
    reported_at TIMESTAMPTZ, -- when asset.reading.created was last told
    custom_fields JSONB NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX assets_by_organization ON assets (organization_id, created_at);
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
