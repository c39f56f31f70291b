-- Sealed answers mean nothing to the server before.
UPDATE idempotency_keys SET body = NULL;
