-- How a new station proves who it is, where nothing else is said.
ALTER TABLE organizations ADD COLUMN default_security TEXT NOT NULL DEFAULT 'none';
-- Whether the endpoint was drawn by chance and is long enough to be all that a station has to know. Older ones are not.
ALTER TABLE chargestations ADD COLUMN endpoint_is_secret BOOLEAN NOT NULL DEFAULT FALSE;
-- Whether it may connect with TLS only.
ALTER TABLE chargestations ADD COLUMN requires_tls BOOLEAN NOT NULL DEFAULT FALSE;
