-- In which forms a station takes limits, as it answered them.
ALTER TABLE chargestations ADD COLUMN limit_forms TEXT NOT NULL DEFAULT '{}';
