-- Plans are kept as differences. Rows that are there stay as they are: both documents as JSON; later ones have null in both.
CREATE TABLE plan_bases (
    id TEXT PRIMARY KEY, -- of the first plan that hangs on it
    group_id TEXT NOT NULL, -- the root of its tree of groups
    document BYTEA NOT NULL -- a Zstandard frame: a snapshot, a line feed, a plan
);
CREATE INDEX plan_bases_by_group ON plan_bases (group_id);
ALTER TABLE plans ADD COLUMN base_id TEXT REFERENCES plan_bases (id);
ALTER TABLE plans ADD COLUMN difference BYTEA; -- the same, with the document of the base as its prefix
CREATE INDEX plans_by_base ON plans (base_id);
