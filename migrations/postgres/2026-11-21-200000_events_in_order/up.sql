-- Several writers take cursors at once and commit in any order, so a reader could pass a cursor that is committed later.
-- Each transaction that writes events therefore first locks, shared, the newest cursor that was taken before its own; the
-- lock ends with the transaction. Up to the lowest of these nothing can come any more: events_settled().
--
-- The key of a lock is 0x4556 ("EV") in its upper 16 bits and the cursor in the others.

CREATE FUNCTION events_newest_taken() RETURNS BIGINT LANGUAGE SQL VOLATILE AS
    'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_cursor_seq';

CREATE FUNCTION events_announce() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('evenwatt.announced', TRUE), '') = '' THEN
        PERFORM pg_advisory_xact_lock_shared((x'4556'::BIGINT << 48) | events_newest_taken());
        PERFORM set_config('evenwatt.announced', 'yes', TRUE);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER events_announce BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION events_announce();

-- Ask in a statement of its own, before reading: what is read after has every event up to here.
CREATE FUNCTION events_settled() RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    taken BIGINT := events_newest_taken(); -- before the locks are looked at
BEGIN
    RETURN least(taken, (
        SELECT min(((classid::BIGINT & x'FFFF'::BIGINT) << 32) | objid::BIGINT) FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND classid::BIGINT >> 16 = x'4556'::BIGINT
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())));
END $$;
