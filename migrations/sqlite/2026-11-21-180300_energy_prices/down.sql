ALTER TABLE load_groups DROP COLUMN energy_prices;
