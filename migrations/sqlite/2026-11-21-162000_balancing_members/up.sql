-- What balancing remembers of each connector has a row of its own, so that what happens to one costs one row.
CREATE TABLE balancing_members (
    group_id TEXT NOT NULL, -- the root of its tree of groups
    connector_id TEXT NOT NULL,
    state TEXT NOT NULL, -- what it may still draw, and since when it waits
    PRIMARY KEY (group_id, connector_id)
);
-- Every station is assumed at its worst until it confirms a limit, as after every start.
DELETE FROM balancing_states;
