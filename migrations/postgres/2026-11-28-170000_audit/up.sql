-- Who changed what over the API, written in the transaction of the change.
CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    actor_type TEXT NOT NULL, -- api_key, operator or home_user
    actor_id TEXT NOT NULL, -- of somebody who may be gone
    actor_name TEXT NOT NULL, -- as it was then
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX audit_by_organization ON audit (organization_id, created_at, id);
