-- Answers that are kept for an Idempotency-Key are sealed from now on. What was kept before is forgotten: a repeated request
-- learns that it was made, and is not made again.
UPDATE idempotency_keys SET body = NULL;
