ALTER TABLE chargestations DROP COLUMN clock_offset_seconds;
