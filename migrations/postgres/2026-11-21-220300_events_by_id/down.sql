DROP INDEX events_by_id;
