DROP TABLE dynamic_profiles;
