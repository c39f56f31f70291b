DROP TABLE charging_profile_evses;
DROP TABLE charging_profiles;
