ALTER TABLE locations DROP COLUMN concurrent_cards;
ALTER TABLE locations DROP COLUMN unknown_cards;
ALTER TABLE organizations DROP COLUMN concurrent_cards;
ALTER TABLE organizations DROP COLUMN unknown_cards;
