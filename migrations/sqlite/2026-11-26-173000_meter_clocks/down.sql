ALTER TABLE assets DROP COLUMN refused;
ALTER TABLE assets DROP COLUMN meter_clock;
