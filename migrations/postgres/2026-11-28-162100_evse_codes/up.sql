-- Drivers find an EVSE by its code alone, whatever the organization.
CREATE INDEX evses_by_code ON evses (code);
