-- Letters that are written when they are queued.
ALTER TABLE letters ADD COLUMN subject TEXT;
ALTER TABLE letters ADD COLUMN body TEXT;
