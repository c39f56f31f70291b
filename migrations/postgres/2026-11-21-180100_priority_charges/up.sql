-- Charges of home users that go before their exclusion times, and requests for one that were refused.
CREATE TABLE priority_charges (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    group_id TEXT NOT NULL REFERENCES load_groups (id) ON DELETE CASCADE,
    user_id TEXT REFERENCES users (id) ON DELETE SET NULL, -- who asked; none: the operator
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
CREATE INDEX priority_charges_by_expiry ON priority_charges (status, expires_at);
-- A group has one at a time.
CREATE UNIQUE INDEX priority_charges_open ON priority_charges (group_id) WHERE status IN ('waiting', 'active');
