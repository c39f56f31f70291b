DELETE FROM letters WHERE kind = 'notice';
ALTER TABLE letters DROP COLUMN body;
ALTER TABLE letters DROP COLUMN subject;
