-- The serial number of a station as its operator entered it: a name that certificates may have.
ALTER TABLE chargestations ADD COLUMN serial_number TEXT;
CREATE INDEX chargestations_by_serial_number ON chargestations (lower(serial_number));
