CREATE INDEX reading_chunks_by_time ON reading_chunks (connector_id, first_at); -- no chunk lasts longer than a day
