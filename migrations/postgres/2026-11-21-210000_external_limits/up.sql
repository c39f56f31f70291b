-- Limits that somebody else than this server put on a station or one of its EVSEs, as the station told them.
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
