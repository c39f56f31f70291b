ALTER TABLE assets DROP COLUMN received_at;
ALTER TABLE assets DROP COLUMN peaks;
