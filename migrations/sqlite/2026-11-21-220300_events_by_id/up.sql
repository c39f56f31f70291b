-- Events are found by id; ids begin with the second in which they were made.
CREATE INDEX events_by_id ON events (organization_id, id);
