-- What holds now in the charging profiles of stations whose limits are changed or asked for one by one (OCPP 2.1).
CREATE TABLE dynamic_profiles (
    chargestation_id TEXT NOT NULL REFERENCES chargestations (id) ON DELETE CASCADE,
    profile_id BIGINT NOT NULL,
    holding JSONB NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (chargestation_id, profile_id)
);
