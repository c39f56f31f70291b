DROP INDEX priority_charges_by_session;
DROP INDEX reservations_by_session;
DROP INDEX sessions_by_end;
