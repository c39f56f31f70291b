DROP TABLE external_limits;
