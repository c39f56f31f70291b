ALTER TABLE chargestations DROP COLUMN closed_by_hours;
DROP TABLE connector_statuses;
