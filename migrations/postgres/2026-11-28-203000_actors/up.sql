-- Who caused each event. Numbers: 0 the server, 1 the station, 2 balancing, 3 a driver, 4 an API key, 5 an operator, 6 a home user,
-- from 10 on a part of the server (src/events/actor.rs). Null: from before this was recorded.
ALTER TABLE events ADD COLUMN actor SMALLINT;
ALTER TABLE events ADD COLUMN actor_id TEXT; -- null where it is chargestation_id, or where there is none
ALTER TABLE events ADD COLUMN actor_name TEXT; -- of people and keys, as it was then
CREATE INDEX events_by_actor ON events (organization_id, actor_id, cursor) WHERE actor_id IS NOT NULL;

-- The audit says what was changed, and has what stations and the server change of what people set up.
ALTER TABLE audit ALTER COLUMN actor_id DROP NOT NULL;
ALTER TABLE audit ALTER COLUMN actor_name DROP NOT NULL;
ALTER TABLE audit ALTER COLUMN method DROP NOT NULL; -- of the request; null where there was none
ALTER TABLE audit ALTER COLUMN path DROP NOT NULL;
ALTER TABLE audit ADD COLUMN event TEXT; -- the type of the first event
ALTER TABLE audit ADD COLUMN object TEXT; -- the id of what was changed
ALTER TABLE audit ADD COLUMN chargestation_id TEXT; -- the station that the first event is about
UPDATE audit SET object = substring(path FROM '/([0-9a-f]{24})(?:/|$)');
CREATE INDEX audit_by_object ON audit (object);
CREATE INDEX audit_by_station ON audit (chargestation_id);
