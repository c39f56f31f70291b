-- How far a station's clock is ahead of ours, as its last live messages showed it.
ALTER TABLE chargestations ADD COLUMN clock_offset_seconds BIGINT;
