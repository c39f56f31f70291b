ALTER TABLE idempotency_keys DROP COLUMN scopes;
UPDATE idempotency_keys SET body = NULL;
