ALTER TABLE sessions DROP COLUMN service_offer_id;
