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
    voltage INTEGER, -- millivolts; null means the location's
    power_factor INTEGER NOT NULL, -- parts per million
    longitude REAL, -- null means where the location is
    latitude REAL,
    meter_scope TEXT, -- of smart meters: what the meter sees
    static_power INTEGER, -- watts a consumer counts with when its data is stale
    fluctuation_margin INTEGER NOT NULL, -- watts
    fallback_power INTEGER, -- watts a smart meter counts with when its data is stale
    switched_on BOOLEAN, -- of batteries
    active BOOLEAN NOT NULL,
    latest TEXT, -- the latest reading
    latest_at INTEGER, -- when it was measured, or when it came if that was earlier
    fresh_until INTEGER, -- from then on its data is stale
    interval_seconds INTEGER, -- learnt: how far apart readings usually are
    reported_at INTEGER, -- when asset.reading.created was last told
    custom_fields TEXT NOT NULL,
    meta_data TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX assets_by_organization ON assets (organization_id, created_at);
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
