DROP TABLE service_offers;
DROP TABLE network_evses;
DROP TABLE evse_groups;
DROP TABLE evse_networks;
