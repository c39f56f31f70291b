-- What stations cause at every charge is written here, behind all other events and without an index, and packed within minutes.
CREATE TABLE frequent_events (
    cursor BIGINT PRIMARY KEY DEFAULT nextval('events_cursor_seq'), -- of the same numbers as events.cursor
    id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    type TEXT NOT NULL,
    object TEXT NOT NULL,
    chargestation_id TEXT, -- who caused it
    data TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE TRIGGER frequent_events_announce BEFORE INSERT ON frequent_events FOR EACH STATEMENT EXECUTE FUNCTION events_announce();

-- Frequent events of an organization, from one cursor to another, together.
CREATE TABLE event_packs (
    organization_id TEXT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    since TIMESTAMPTZ NOT NULL, -- created_at of the earliest and of the latest
    until TIMESTAMPTZ NOT NULL,
    events INTEGER NOT NULL, -- how many
    types TEXT NOT NULL, -- which there are, with commas between
    stations BYTEA NOT NULL, -- their ids, each of 12 bytes
    body BYTEA NOT NULL,
    PRIMARY KEY (organization_id, last)
);
CREATE INDEX event_packs_by_last ON event_packs (last);
CREATE INDEX event_packs_by_time ON event_packs (organization_id, until);
