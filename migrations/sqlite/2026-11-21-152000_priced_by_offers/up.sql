-- Sessions that a service offer prices.
ALTER TABLE sessions ADD COLUMN service_offer_id TEXT;
