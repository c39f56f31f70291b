-- Each try is kept, and what is first of its key is found without looking at what waits behind it.
DROP INDEX webhook_deliveries_by_webhook;
ALTER TABLE webhook_deliveries DROP COLUMN since;
ALTER TABLE webhook_deliveries DROP COLUMN answer_status;
ALTER TABLE webhook_deliveries DROP COLUMN answer_body;
ALTER TABLE webhook_deliveries DROP COLUMN error;
ALTER TABLE webhook_deliveries DROP COLUMN milliseconds;
ALTER TABLE webhook_deliveries ADD COLUMN failing_since INTEGER; -- since when every try failed
ALTER TABLE webhook_deliveries ADD COLUMN history TEXT NOT NULL DEFAULT '[]'; -- the last tries
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, ordering, cursor, id) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_done ON webhook_deliveries (updated_at) WHERE status <> 'pending';
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (webhook_id, created_at);
CREATE UNIQUE INDEX webhook_deliveries_by_event ON webhook_deliveries (webhook_id, event_id);

ALTER TABLE webhooks ADD COLUMN alert_email TEXT;
ALTER TABLE webhooks ADD COLUMN failing_since INTEGER; -- since when every try failed, whatever the event
ALTER TABLE webhooks ADD COLUMN alerted_at INTEGER;
