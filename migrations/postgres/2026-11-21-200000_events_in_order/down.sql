DROP FUNCTION events_settled();
DROP TRIGGER events_announce ON events;
DROP FUNCTION events_announce();
DROP FUNCTION events_newest_taken();
