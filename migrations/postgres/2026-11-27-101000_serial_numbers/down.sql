DROP INDEX chargestations_by_serial_number;
ALTER TABLE chargestations DROP COLUMN serial_number;
