ALTER TABLE connectors DROP COLUMN created_by;
ALTER TABLE chargestations DROP COLUMN unknown_connectors;
ALTER TABLE organizations DROP COLUMN unknown_connectors;
