-- Who caused each event. Numbers: 0 the server, 1 the station, 2 balancing, 3 a driver, 4 an API key, 5 an operator, 6 a home user,
-- from 10 on a part of the server (src/events/actor.rs). Null: from before this was recorded.
ALTER TABLE events ADD COLUMN actor INTEGER;
ALTER TABLE events ADD COLUMN actor_id TEXT; -- null where it is chargestation_id, or where there is none
ALTER TABLE events ADD COLUMN actor_name TEXT; -- of people and keys, as it was then
CREATE INDEX events_by_actor ON events (organization_id, actor_id, cursor) WHERE actor_id IS NOT NULL;

-- The audit says what was changed, and has what stations and the server change of what people set up.
CREATE TABLE new_audit (
    id TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    actor_type TEXT NOT NULL, -- api_key, operator, home_user, station, balancing or server
    actor_id TEXT, -- of somebody who may be gone
    actor_name TEXT, -- as it was then
    method TEXT, -- of the request; null where there was none
    path TEXT,
    event TEXT, -- the type of the first event
    object TEXT, -- the id of what was changed
    chargestation_id TEXT, -- the station that the first event is about
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
INSERT INTO new_audit
SELECT
    id, organization_id, actor_type, actor_id, actor_name, method, path, NULL,
    (
        WITH RECURSIVE parts (place, part, rest) AS (
            SELECT 0, '', substr(audit.path, 2) || '/'
            UNION ALL
            SELECT place + 1, substr(rest, 1, instr(rest, '/') - 1), substr(rest, instr(rest, '/') + 1) FROM parts WHERE rest <> ''
        )
        SELECT part FROM parts WHERE length(part) = 24 AND part NOT GLOB '*[^0-9a-f]*' ORDER BY place LIMIT 1
    ),
    NULL, created_at, updated_at
FROM audit;
DROP TABLE audit;
ALTER TABLE new_audit RENAME TO audit;
CREATE INDEX audit_by_organization ON audit (organization_id, created_at, id);
CREATE INDEX audit_by_object ON audit (object);
CREATE INDEX audit_by_station ON audit (chargestation_id);
