ALTER TABLE sessions DROP COLUMN restartable;
