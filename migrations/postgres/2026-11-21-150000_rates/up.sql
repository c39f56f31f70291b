-- Rates, schedules of rates, and what sessions cost.
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

CREATE TABLE rate_schedules (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    description TEXT,
    currency TEXT NOT NULL,
    default_rate_id TEXT NOT NULL REFERENCES rates (id),
    layout JSONB NOT NULL,
    active BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    meta_data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX rate_schedules_by_organization ON rate_schedules (organization_id, created_at);

-- Until now any text was taken, and priced nothing.
UPDATE connectors SET rate = NULL;
CREATE INDEX connectors_by_rate ON connectors (rate);

-- The prices that a session began with. Apart from sessions, which are read often.
CREATE TABLE session_tariffs (
    session_id TEXT PRIMARY KEY REFERENCES sessions (id),
    tariff JSONB NOT NULL,
    timezone TEXT NOT NULL
);
ALTER TABLE sessions ADD COLUMN rate_id TEXT; -- a rate or a schedule
ALTER TABLE sessions ADD COLUMN rate_version BIGINT;
ALTER TABLE sessions ADD COLUMN cost JSONB;
