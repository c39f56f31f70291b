DROP TABLE asset_readings;
DROP TABLE assets;
