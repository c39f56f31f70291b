// The words that the API takes, where several forms offer them.
export const CONNECTOR_STATUS = [
  "Available",
  "Preparing",
  "Charging",
  "SuspendedEVSE",
  "SuspendedEV",
  "Finishing",
  "Reserved",
  "Unavailable",
  "Faulted",
] as const;
export const OPERATIONAL_STATUS = ["Operative", "Inoperative", "Closed"] as const;
export const PROTOCOLS = ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"] as const;
export const CONNECTOR_TYPES = ["J1772", "Type2", "CCS1", "CCS2", "CHADEMO", "Tesla", "GBT", "Domestic"] as const;
export const POWER_TYPES = ["AC Single Phase", "AC Three Phase", "DC"] as const;
export const CURRENT_TYPES = ["DC", "AC_single_phase", "AC_three_phase"] as const;
export const ALGORITHMS = ["equal_share", "priority", "first_come", "deadline", "consumer_tou"] as const;
export const PLAN_STAGES = ["planned", "lowering", "raising", "settled", "degraded"] as const;
export const ASSET_TYPES = ["smart_meter", "producer", "consumer", "battery", "other"] as const;
export const SESSION_STATUS = ["created", "started", "ended", "cancelled"] as const;
export const TOKEN_TYPES = ["Central", "ISO14443", "ISO15693", "eMAID", "KeyCode", "Local", "MacAddress", "NoAuthorization"] as const;
export const SECURITY_TYPES = ["none", "basic_auth", "client_certificate"] as const;
export const UNKNOWN_CARDS = ["refuse", "accept", "free_vending"] as const;
export const CONCURRENT_CARDS = ["accept", "refuse"] as const;
export const UNKNOWN_CONNECTORS = ["report", "create"] as const;
export const YES_NO = ["true", "false"] as const;
