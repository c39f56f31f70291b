-- Whether sessions are stopped where nothing else brings a group below its limit.
ALTER TABLE load_groups ADD COLUMN stop_when_exceeded BOOLEAN NOT NULL DEFAULT FALSE;
