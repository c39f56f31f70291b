// Forms of charging profiles and configuration templates.
import type { Section } from "../../ui/form";
import { PROTOCOLS } from "./options";
import { resource } from "../resource";

export const PROFILE: Section[] = [
  {
    fields: [
      { name: "name", required: true },
      { name: "code" },
      { name: "type", kind: "select", options: ["one_time", "recurring"], words: "profile", required: true },
      { name: "recurrence", kind: "select", options: ["daily", "weekly"], words: "recurrence", when: ({ type }) => type === "recurring" },
      { name: "start_schedule", kind: "datetime", required: true },
      { name: "duration_minutes", kind: "number", unit: "min", min: 1, step: 1 },
      { name: "unit", kind: "select", options: ["power", "current"], words: "unit", required: true },
      { name: "stack_level", kind: "number", min: 0, step: 1, help: "help.stack_level" },
      {
        name: "periods",
        kind: "rows",
        help: "help.periods",
        inner: [
          { name: "start", kind: "number", unit: "s", step: 1 },
          { name: "limit", kind: "number" },
        ],
      },
      { name: "evses", kind: "refs", ref: "evse" },
      { name: "valid_from", kind: "datetime" },
      { name: "valid_to", kind: "datetime" },
      { name: "active", kind: "toggle" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

export const NEW_PROFILE = {
  type: "recurring",
  recurrence: "daily",
  unit: "power",
  active: true,
  stack_level: 0,
  periods: [{ start: 0 }],
  evses: [],
};

export const TEMPLATE: Section[] = [
  {
    fields: [
      { name: "name", required: true },
      { name: "code" },
      { name: "protocol", kind: "select", options: PROTOCOLS, help: "help.template_protocol" },
      { name: "location", kind: "ref", ref: "location", help: "help.template_location" },
      { name: "priority", kind: "number", step: 1, help: "help.template_priority" },
      { name: "batch_size", kind: "number", min: 1, step: 1 },
      {
        name: "settings",
        kind: "rows",
        inner: [{ name: "key" }, { name: "value" }],
      },
      { name: "valid_from", kind: "datetime" },
      { name: "valid_to", kind: "datetime" },
      { name: "active", kind: "toggle" },
      { name: "description", kind: "textarea" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

export const NEW_TEMPLATE = { active: true, priority: 0, settings: [{}] };

export const PROFILES = resource({
  path: "/v1.1/charging_profiles",
  page: "/panel/profiles",
  words: "profiles",
  scope: "charging_profiles",
  name: (row) => row.name,
  sections: PROFILE,
  initial: NEW_PROFILE,
  events: ["charging_profile.*"],
  wide: true,
});

export const TEMPLATES = resource({
  path: "/v1.1/configuration_templates",
  page: "/panel/templates",
  words: "templates",
  scope: "configuration_templates",
  name: (row) => row.name,
  sections: TEMPLATE,
  initial: NEW_TEMPLATE,
  events: ["configuration_template.*"],
  wide: true,
});
