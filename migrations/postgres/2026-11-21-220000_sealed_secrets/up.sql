-- Secrets of webhooks are sealed with the server's key from here on; the server seals those that are not when it starts.
ALTER TABLE webhooks ADD COLUMN secret_lost BOOLEAN NOT NULL DEFAULT FALSE; -- sealed with another key: it cannot sign
