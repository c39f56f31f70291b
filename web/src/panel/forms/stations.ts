// Forms of charging stations, their EVSEs (chargers) and connectors.
import { stationName } from "../../ui/refs.svelte";
import type { Section } from "../../ui/form";
import { CONNECTOR_TYPES, CURRENT_TYPES, OPERATIONAL_STATUS, POWER_TYPES, PROTOCOLS, SECURITY_TYPES, UNKNOWN_CONNECTORS } from "./options";
import { resource } from "../resource";

export const STATION: Section[] = [
  {
    fields: [
      { name: "name" },
      { name: "code" },
      { name: "location", kind: "ref", ref: "location", help: "help.station_location" },
      { name: "protocol", kind: "select", options: PROTOCOLS, help: "help.protocol" },
      { name: "visible", kind: "toggle", help: "help.visible" },
      { name: "public", kind: "toggle", help: "help.public" },
      { name: "active", kind: "toggle" },
      { name: "physical_address", help: "help.physical_address" },
      { name: "description", kind: "textarea" },
    ],
  },
  {
    title: "section.boot_configuration",
    fields: [
      { name: "boot_configuration.enabled", kind: "toggle" },
      { name: "boot_configuration.trigger_boot_notification", kind: "toggle" },
      { name: "boot_configuration.trigger_status_notification", kind: "toggle" },
      { name: "boot_configuration.trigger_heartbeat", kind: "toggle" },
      { name: "boot_configuration.clear_charging_profiles", kind: "toggle" },
    ],
  },
  {
    title: "section.connection",
    folded: true,
    fields: [
      { name: "endpoint", help: "help.endpoint" },
      { name: "pinned_protocol", kind: "select", options: PROTOCOLS },
      { name: "security.type", kind: "select", options: SECURITY_TYPES, words: "security" },
      { name: "security.tls", kind: "toggle" },
      { name: "registration", kind: "select", options: ["Accepted", "Pending", "Rejected"], words: "status" },
      { name: "unknown_connectors", kind: "select", options: UNKNOWN_CONNECTORS, words: "unknown_connectors" },
      { name: "operational_status", kind: "select", options: OPERATIONAL_STATUS, words: "status" },
      { name: "is_simulator", kind: "toggle" },
    ],
  },
  {
    title: "section.inventory",
    folded: true,
    fields: [
      { name: "manufacturer" },
      { name: "model" },
      { name: "serial_number" },
      { name: "coordinates", kind: "coordinates", help: "help.own_coordinates" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

/** What a new station begins with: as the API would have it, but shown. */
export const NEW_STATION = { visible: true, public: true, active: true, protocol: "ocpp1.6" };

export const EVSE: Section[] = [
  {
    fields: [
      { name: "name", help: "help.evse_name" },
      { name: "code", help: "help.evse_code" },
      { name: "electric_current_type", kind: "select", options: CURRENT_TYPES, words: "current" },
      { name: "evse_id", help: "help.evse_id" },
      { name: "reservable", kind: "toggle" },
      { name: "roaming", kind: "toggle" },
      { name: "simultaneous", kind: "toggle", help: "help.simultaneous" },
      { name: "number", kind: "number", min: 1, step: 1 },
      { name: "physical_address", help: "help.physical_address" },
      { name: "custom_fields", kind: "pairs" },
    ],
  },
];

export const CONNECTOR: Section[] = [
  {
    fields: [
      { name: "name" },
      { name: "code" },
      { name: "type", kind: "select", options: CONNECTOR_TYPES },
      { name: "format", kind: "select", options: ["CABLE", "SOCKET"], words: "format" },
      { name: "power_type", kind: "select", options: POWER_TYPES },
      { name: "power", kind: "number", unit: "kW", required: true, min: 0 },
      { name: "rate", kind: "ref", ref: "rate", help: "help.connector_rate" },
      { name: "number", kind: "number", min: 1, step: 1 },
      { name: "active", kind: "toggle" },
      { name: "description", kind: "textarea" },
    ],
  },
  {
    title: "section.limits",
    fields: [
      { name: "voltage_limit", kind: "number", unit: "V", min: 0 },
      { name: "amperage_limit", kind: "number", unit: "A", min: 0 },
      { name: "wattage_limit", kind: "number", unit: "W", min: 0, help: "help.wattage_limit" },
      { name: "power_factor", kind: "number", min: 0, max: 1 },
      { name: "phases", kind: "select", options: [1, 3] },
      { name: "phase_rotation", kind: "select", options: ["RST", "RTS", "SRT", "STR", "TRS", "TSR"] },
      { name: "custom_fields", kind: "pairs" },
    ],
  },
];

export const NEW_CONNECTOR = { type: "Type2", format: "CABLE", power_type: "AC Three Phase", active: true };

export const STATIONS = resource({
  path: "/v1.1/chargestations",
  page: "/panel/stations",
  words: "stations",
  scope: "chargestations",
  name: stationName,
  sections: STATION,
  initial: NEW_STATION,
  events: ["chargestation.*"],
});
