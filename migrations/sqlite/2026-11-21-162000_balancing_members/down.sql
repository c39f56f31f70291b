DELETE FROM balancing_states;
DROP TABLE balancing_members;
