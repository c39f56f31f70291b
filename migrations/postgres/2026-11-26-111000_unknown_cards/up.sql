-- What a card gets that no token knows, and one that is in use elsewhere; a location may say otherwise than its organization.
ALTER TABLE organizations ADD COLUMN unknown_cards TEXT NOT NULL DEFAULT 'refuse';
ALTER TABLE organizations ADD COLUMN concurrent_cards TEXT NOT NULL DEFAULT 'accept';
ALTER TABLE locations ADD COLUMN unknown_cards TEXT;
ALTER TABLE locations ADD COLUMN concurrent_cards TEXT;
