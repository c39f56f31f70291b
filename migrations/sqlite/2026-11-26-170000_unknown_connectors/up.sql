-- What becomes of a connector that a station reports and nobody set up; a station may have it otherwise than its organization.
ALTER TABLE organizations ADD COLUMN unknown_connectors TEXT NOT NULL DEFAULT 'report';
ALTER TABLE chargestations ADD COLUMN unknown_connectors TEXT;
-- Who set up a connector: the operator, or what its station reported.
ALTER TABLE connectors ADD COLUMN created_by TEXT NOT NULL DEFAULT 'operator';
