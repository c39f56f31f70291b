-- The scopes that a request needed whose answer is kept, as JSON: its answer is told again to who still has them.
ALTER TABLE idempotency_keys ADD COLUMN scopes JSONB;
-- Answers are kept in another form from now on. What was kept before is forgotten: a repeated request learns that it was made,
-- and is not made again.
UPDATE idempotency_keys SET body = NULL;
