-- Where an operator works: the ids of locations as a JSON array; null is everywhere.
ALTER TABLE operators ADD COLUMN locations TEXT;
