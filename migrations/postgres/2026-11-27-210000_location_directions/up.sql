ALTER TABLE locations ADD COLUMN directions TEXT; -- how drivers find it
