-- What energy costs a home user's group, and when.
ALTER TABLE load_groups ADD COLUMN energy_prices TEXT;
