ALTER TABLE chargestations DROP COLUMN requires_tls;
ALTER TABLE chargestations DROP COLUMN endpoint_is_secret;
ALTER TABLE organizations DROP COLUMN default_security;
