DROP INDEX connector_statuses_by_connector;
DELETE FROM connector_statuses a USING connector_statuses b
    WHERE a.id > b.id AND a.connector_id = b.connector_id AND a.at = b.at AND a.status = b.status;
ALTER TABLE connector_statuses DROP COLUMN id;
ALTER TABLE connector_statuses ADD PRIMARY KEY (connector_id, at, status);
