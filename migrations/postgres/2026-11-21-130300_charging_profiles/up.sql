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

CREATE TABLE charging_profile_evses (
    profile_id TEXT NOT NULL REFERENCES charging_profiles (id) ON DELETE CASCADE,
    evse_id TEXT NOT NULL REFERENCES evses (id) ON DELETE CASCADE,
    PRIMARY KEY (profile_id, evse_id)
);
CREATE INDEX charging_profile_evses_by_evse ON charging_profile_evses (evse_id);
