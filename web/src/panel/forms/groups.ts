// Forms of load-management groups and of the stations in them.
import type { Section } from "../../ui/form";
import { ALGORITHMS } from "./options";
import { resource } from "../resource";

export const GROUP: Section[] = [
  {
    fields: [
      { name: "name", required: true },
      { name: "location", kind: "ref", ref: "location", required: true },
      { name: "maximum_capacity", kind: "number", unit: "kW", min: 0, required: true, help: "help.maximum_capacity" },
      { name: "minimum_connector_capacity", kind: "number", unit: "kW", min: 0, help: "help.minimum_connector_capacity" },
      { name: "buffer", kind: "number", min: 0, max: 1, help: "help.buffer" },
      { name: "algorithm", kind: "select", options: ALGORITHMS, words: "algorithm", help: "help.algorithm" },
      { name: "parent", kind: "ref", ref: "group", help: "help.parent" },
      { name: "dry_run", kind: "toggle", help: "help.dry_run" },
      { name: "description", kind: "textarea" },
      { name: "notes", kind: "textarea" },
    ],
  },
  {
    title: "section.limits",
    folded: true,
    fields: [
      { name: "phase_capacity", kind: "number", unit: "A", min: 0 },
      { name: "imbalance_limit", kind: "number", unit: "A", min: 0 },
      { name: "feeder_rating", kind: "number", unit: "kW", min: 0 },
      { name: "fallback_capacity", kind: "number", unit: "kW", min: 0, help: "help.fallback_capacity" },
      { name: "raise_step", kind: "number", unit: "kW", min: 0 },
      { name: "hold_minutes", kind: "number", unit: "min", min: 0, step: 1 },
      { name: "allow_pause", kind: "toggle" },
      { name: "trusted_departures", kind: "toggle" },
      { name: "stop_when_exceeded", kind: "toggle", help: "help.stop_when_exceeded" },
      { name: "meta_data", kind: "json" },
    ],
  },
  {
    title: "section.schedules",
    folded: true,
    fields: [
      {
        name: "capacity_schedules.weekly",
        kind: "rows",
        help: "help.capacity_schedules",
        inner: [
          { name: "from", kind: "time" },
          { name: "to", kind: "time" },
          { name: "maximum_capacity", kind: "number", unit: "kW" },
          { name: "weekdays", kind: "weekdays" },
        ],
      },
      {
        name: "capacity_schedules.dated",
        kind: "rows",
        inner: [
          { name: "from", kind: "datetime" },
          { name: "to", kind: "datetime" },
          { name: "maximum_capacity", kind: "number", unit: "kW" },
        ],
      },
    ],
  },
];

export const ENERGY_PRICES: Section[] = [
  {
    fields: [
      { name: "rate", kind: "ref", ref: "rate", help: "help.energy_rate" },
      { name: "currency", help: "help.currency" },
      {
        name: "prices",
        kind: "rows",
        inner: [
          { name: "from", kind: "datetime" },
          { name: "to", kind: "datetime" },
          { name: "price", kind: "number" },
        ],
      },
    ],
  },
];

export const NEW_GROUP = { algorithm: "equal_share" };

export const CONNECTORS_OF_MEMBER: Section[] = [
  {
    fields: [
      {
        name: "connectors",
        kind: "rows",
        inner: [
          { name: "connector", path: "id", kind: "ref", ref: "connector" },
          { name: "maximum_capacity", kind: "number", unit: "kW" },
          { name: "minimum_capacity", kind: "number", unit: "kW" },
          { name: "priority", kind: "number", step: 1 },
        ],
      },
    ],
  },
];

export const EXTERNAL_CAP: Section[] = [
  {
    fields: [
      { name: "maximum_capacity", kind: "number", unit: "kW", required: true },
      { name: "until", kind: "datetime", required: true },
      { name: "reason" },
    ],
  },
];

export const GROUPS = resource({
  path: "/v1.1/load_management/groups",
  page: "/panel/groups",
  words: "groups",
  scope: "groups",
  name: (row) => row.name,
  sections: GROUP,
  initial: NEW_GROUP,
  events: ["load_management.group.*"],
});
