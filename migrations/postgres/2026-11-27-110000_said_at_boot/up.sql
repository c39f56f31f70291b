-- What a station said of itself at boot, where lists can search it.
ALTER TABLE chargestations ADD COLUMN boot_vendor TEXT;
ALTER TABLE chargestations ADD COLUMN boot_model TEXT;
UPDATE chargestations SET boot_vendor = boot_info ->> 'chargePointVendor', boot_model = boot_info ->> 'chargePointModel';
