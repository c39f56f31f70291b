// Forms of rates and of schedules of rates.
import type { Section } from "../../ui/form";
import { resource } from "../resource";

export const RATE: Section[] = [
  {
    fields: [
      { name: "name", required: true, help: "help.rate_name" },
      { name: "currency", required: true, help: "help.currency" },
      {
        name: "price_components",
        kind: "rows",
        inner: [
          { name: "type", kind: "select", options: ["FLAT", "ENERGY", "TIME", "PARKING_TIME"], words: "component" },
          { name: "price", kind: "number", help: "help.price" },
          { name: "tax", kind: "number", unit: "%" },
          { name: "grace_period", kind: "number", unit: "h" },
          { name: "step_size", kind: "number", step: 1, help: "help.step_size" },
        ],
      },
      { name: "minimum_amount", kind: "number", min: 0 },
      { name: "active", kind: "toggle" },
      { name: "description", kind: "textarea" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

export const NEW_RATE = { currency: "EUR", active: true, price_components: [{ type: "ENERGY" }] };

export const RATE_SCHEDULE: Section[] = [
  {
    fields: [
      { name: "name", required: true },
      { name: "currency", required: true, help: "help.currency" },
      { name: "default_rate", kind: "ref", ref: "rate", required: true },
      { name: "active", kind: "toggle" },
      {
        name: "layout",
        kind: "rows",
        help: "help.layout",
        inner: [
          { name: "rate", kind: "ref", ref: "rate" },
          { name: "start_time", path: "target.start_time", kind: "time" },
          { name: "end_time", path: "target.end_time", kind: "time" },
          { name: "day_of_week", path: "target.day_of_week", kind: "tags" },
          { name: "custom_fields", path: "target.custom_fields", kind: "pairs" },
        ],
      },
      { name: "description", kind: "textarea" },
    ],
  },
];

export const NEW_RATE_SCHEDULE = { currency: "EUR", active: true, layout: [] };

export const RATES = resource({
  path: "/v1.1/rates",
  page: "/panel/rates",
  words: "rates",
  scope: "rates",
  name: (row) => row.name,
  sections: RATE,
  initial: NEW_RATE,
  events: ["rate.*"],
  wide: true,
});

export const SCHEDULES = resource({
  path: "/v1.1/rates/schedule",
  page: "/panel/rates",
  words: "schedules",
  scope: "rates",
  name: (row) => row.name,
  sections: RATE_SCHEDULE,
  initial: NEW_RATE_SCHEDULE,
  events: ["rate_schedule.*"],
  wide: true,
});
