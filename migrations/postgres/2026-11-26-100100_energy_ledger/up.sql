-- What proves the energy of a session, what was odd about it, and the station's own times beside ours.
ALTER TABLE sessions ADD COLUMN energy_ledger JSONB;
ALTER TABLE sessions ADD COLUMN flags JSONB NOT NULL DEFAULT '[]';
ALTER TABLE meter_values ADD COLUMN told_at TIMESTAMPTZ; -- the time that the station told
ALTER TABLE meter_values ADD COLUMN delivered BIGINT; -- the energy of the session by then
CREATE INDEX meter_values_by_told ON meter_values (connector_id, told_at);
-- Sessions that run go on from what was counted so far.
UPDATE meter_values SET delivered = (
    SELECT CASE WHEN meter_values.energy >= sessions.meter_start THEN meter_values.energy - sessions.meter_start
        ELSE meter_values.energy END
    FROM sessions WHERE sessions.id = meter_values.session_id)
WHERE energy IS NOT NULL AND session_id IN (SELECT id FROM sessions WHERE status = 'started');
