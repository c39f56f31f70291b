DROP TABLE meter_evidence;
