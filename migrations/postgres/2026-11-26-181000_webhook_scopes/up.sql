-- The scopes of the key that made or last changed a webhook, as JSON: it is told of what that key could read. Everything where it is older.
ALTER TABLE webhooks ADD COLUMN scopes JSONB;
