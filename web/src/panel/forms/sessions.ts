// Forms of sessions: starting one, what it aims at, and a limit of its own.
import { nameOf } from "../../ui/refs.svelte";
import type { Section } from "../../ui/form";
import { resource } from "../resource";

export const TARGET: Section[] = [
  {
    fields: [
      { name: "target.energy", kind: "number", unit: "kWh", min: 0 },
      { name: "target.time", kind: "number", unit: "h", min: 0 },
      { name: "target.cost", kind: "number", min: 0 },
      { name: "target.state_of_charge", kind: "number", unit: "%", min: 0, max: 100 },
      { name: "departure_time", kind: "datetime" },
      { name: "energy_need", kind: "number", unit: "kWh", min: 0 },
    ],
  },
];

export const START: Section[] = [
  {
    fields: [
      { name: "connector", kind: "ref", ref: "connector", required: true },
      { name: "user", kind: "ref", ref: "user" },
      { name: "id_tag", help: "help.id_tag" },
    ],
  },
  { title: "section.target", fields: TARGET[0]?.fields ?? [] },
];

export const LIMIT: Section[] = [
  {
    fields: [
      { name: "unit", kind: "select", options: ["power", "current"], words: "unit", required: true },
      { name: "limit", kind: "number", min: 0, required: true, help: "help.limit_unit" },
    ],
  },
];

export const SESSIONS = resource({
  path: "/v1.1/sessions",
  page: "/panel/sessions",
  words: "sessions",
  scope: "sessions",
  name: (row) => nameOf("chargestation", row.chargestation),
  sections: [],
  events: ["session.*"],
});
