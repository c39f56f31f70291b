// Forms of locations and assets.
import { placeName } from "../../ui/refs.svelte";
import { session } from "../../lib/session.svelte";
import type { Section } from "../../ui/form";
import { ADDRESS } from "./address";
import { ASSET_TYPES, CONCURRENT_CARDS, CURRENT_TYPES, UNKNOWN_CARDS } from "./options";
import { resource } from "../resource";

export const LOCATION: Section[] = [
  {
    fields: [
      { name: "name" },
      { name: "operatorName", required: true, help: "help.operator_name" },
      { name: "code" },
      { name: "timezone", help: "help.timezone" },
      { name: "active", kind: "toggle" },
    ],
  },
  {
    title: "section.address",
    fields: [
      ...ADDRESS,
      { name: "coordinates", kind: "coordinates", required: true, help: "help.coordinates" },
      { name: "directions", kind: "textarea" },
    ],
  },
  {
    title: "section.electricity",
    fields: [
      { name: "balancing_basis", kind: "select", options: ["power", "current"], words: "basis", help: "help.balancing_basis" },
      { name: "voltage", kind: "number", unit: "V", min: 0 },
    ],
  },
  {
    title: "section.more",
    folded: true,
    fields: [
      { name: "unknown_cards", kind: "select", options: UNKNOWN_CARDS, words: "unknown_cards" },
      { name: "concurrent_cards", kind: "select", options: CONCURRENT_CARDS, words: "unknown_cards" },
      { name: "openingHours", kind: "hours", help: "help.opening_hours" },
      { name: "notes", kind: "textarea" },
      { name: "custom_fields", kind: "pairs" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

/** A new location begins in the country and the time zone of whoever creates it, and is run by the organization. */
export const NEW_LOCATION = {
  get operatorName() {
    return session.account?.organization.name;
  },
  "address.country": new Intl.Locale(navigator.language).maximize().region,
  active: true,
  timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
};

export const ASSET: Section[] = [
  {
    fields: [
      { name: "name", required: true },
      { name: "code" },
      { name: "type", kind: "select", options: ASSET_TYPES, words: "asset", required: true },
      { name: "electric_current_type", kind: "select", options: CURRENT_TYPES, words: "current" },
      { name: "location", kind: "ref", ref: "location", required: true },
      { name: "group", kind: "ref", ref: "group", help: "help.asset_group" },
      { name: "description", kind: "textarea" },
      { name: "power_factor", kind: "number", min: 0, max: 1 },
      { name: "active", kind: "toggle" },
    ],
  },
  {
    title: "section.balancing",
    fields: [
      {
        name: "meter_scope",
        kind: "select",
        options: ["site", "building", "production"],
        words: "scope",
        when: ({ type }) => type === "smart_meter",
        help: "help.meter_scope",
      },
      { name: "static_power", kind: "number", unit: "kW", when: ({ type }) => type !== "smart_meter", help: "help.static_power" },
      { name: "fallback_power", kind: "number", unit: "kW", when: ({ type }) => type === "smart_meter", help: "help.fallback_power" },
      { name: "fluctuation_margin", kind: "number", unit: "kW", min: 0 },
      { name: "electric_voltage_type", kind: "select", options: ["line_to_neutral", "line_to_line"], words: "voltage" },
      { name: "voltage", kind: "number", unit: "V" },
      { name: "coordinates", kind: "coordinates", help: "help.own_coordinates" },
    ],
  },
  {
    title: "section.more",
    folded: true,
    fields: [
      { name: "custom_fields", kind: "pairs" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

export const NEW_ASSET = { type: "smart_meter", electric_current_type: "AC_three_phase", power_factor: 1, active: true };

export const LOCATIONS = resource({
  path: "/v1.1/locations",
  page: "/panel/locations",
  words: "locations",
  scope: "locations",
  everywhere: true,
  name: placeName,
  sections: LOCATION,
  initial: NEW_LOCATION,
  events: ["location.*"],
  wide: true,
});

export const ASSETS = resource({
  path: "/v1.1/assets",
  page: "/panel/assets",
  words: "assets",
  scope: "assets",
  name: (row) => row.name,
  sections: ASSET,
  initial: NEW_ASSET,
  events: ["asset.*"],
});
