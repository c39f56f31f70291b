ALTER TABLE chargestations DROP COLUMN boot_model;
ALTER TABLE chargestations DROP COLUMN boot_vendor;
