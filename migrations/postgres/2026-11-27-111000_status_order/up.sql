-- Every change of a connector's status in its order, also several of one instant.
ALTER TABLE connector_statuses DROP CONSTRAINT connector_statuses_pkey;
ALTER TABLE connector_statuses ADD COLUMN id BIGSERIAL PRIMARY KEY;
CREATE INDEX connector_statuses_by_connector ON connector_statuses (connector_id, at);
