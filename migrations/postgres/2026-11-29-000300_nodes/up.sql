-- The processes of a cluster. Times are by the clock of the database.
CREATE TABLE nodes (
    name TEXT PRIMARY KEY,
    token BIGINT NOT NULL, -- of this run of the process; its session that holds the store's lock has it in its name
    address TEXT NOT NULL, -- where other nodes reach it
    version TEXT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    draining BOOLEAN NOT NULL,
    sockets INTEGER NOT NULL,
    trees INTEGER NOT NULL,
    term BIGINT, -- of its leadership, where it led; the highest one leads
    leads_since TIMESTAMPTZ,
    secret TEXT NOT NULL -- a hash of what nodes prove themselves by: all must have the same
);
