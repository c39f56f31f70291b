ALTER TABLE webhooks DROP COLUMN scopes;
