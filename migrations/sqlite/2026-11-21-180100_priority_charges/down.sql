DROP TABLE priority_charges;
