-- Its station ended it and nobody had asked for that: a car that is still there may be started again.
ALTER TABLE sessions ADD COLUMN restartable BOOLEAN NOT NULL DEFAULT FALSE;
