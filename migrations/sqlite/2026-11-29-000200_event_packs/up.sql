-- What stations cause at every charge is written here, behind all other events and without an index, and packed within minutes.
CREATE TABLE frequent_events (
    cursor INTEGER PRIMARY KEY, -- of the same numbers as events.cursor
    id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    type TEXT NOT NULL,
    object TEXT NOT NULL,
    chargestation_id TEXT, -- who caused it
    data TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

-- Frequent events of an organization, from one cursor to another, together.
CREATE TABLE event_packs (
    organization_id TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    since INTEGER NOT NULL, -- created_at of the earliest and of the latest
    until INTEGER NOT NULL,
    events INTEGER NOT NULL, -- how many
    types TEXT NOT NULL, -- which there are, with commas between
    stations BLOB NOT NULL, -- their ids, each of 12 bytes
    body BLOB NOT NULL,
    PRIMARY KEY (organization_id, last)
);
CREATE INDEX event_packs_by_last ON event_packs (last);
CREATE INDEX event_packs_by_time ON event_packs (organization_id, until);

-- The newest cursor that was ever taken; the next one is one more.
CREATE VIEW events_newest_taken AS SELECT max(
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0),
    coalesce((SELECT max(cursor) FROM frequent_events), 0),
    coalesce((SELECT max(last) FROM event_packs), 0)
) AS cursor;
