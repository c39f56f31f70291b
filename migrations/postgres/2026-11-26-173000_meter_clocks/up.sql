-- What live readings showed of the clock of an asset's meter, as JSON.
ALTER TABLE assets ADD COLUMN meter_clock JSONB;
-- The last reading that was refused because no hardware gives it, as JSON, until a better one comes.
ALTER TABLE assets ADD COLUMN refused JSONB;
