-- What groups and assets did over time: means of minutes and of quarters of an hour, in W.
CREATE TABLE load_spans (
    subject_id TEXT NOT NULL, -- a group or an asset
    seconds INTEGER NOT NULL, -- how long the span is
    at TIMESTAMPTZ NOT NULL, -- when it begins
    root_id TEXT NOT NULL REFERENCES load_groups (id) ON DELETE CASCADE,
    milliseconds BIGINT NOT NULL, -- how much of it is known of a group
    drawn BIGINT,
    granted BIGINT,
    capacity BIGINT,
    usable BIGINT,
    load_milliseconds BIGINT NOT NULL, -- the same of what else draws
    load BIGINT,
    PRIMARY KEY (subject_id, seconds, at)
);
CREATE INDEX load_spans_by_root ON load_spans (root_id, seconds, at);
CREATE INDEX load_spans_by_time ON load_spans (at);
