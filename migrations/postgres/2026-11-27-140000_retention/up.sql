-- Retention goes through sessions in the order of their ends, and deletes some that reservations and priority charges name.
CREATE INDEX sessions_by_end ON sessions (ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX reservations_by_session ON reservations (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX priority_charges_by_session ON priority_charges (session_id) WHERE session_id IS NOT NULL;
