// Forms of EVSE networks, their groups, and service offers.
import type { Section } from "../../ui/form";
import { resource } from "../resource";

export const NETWORK: Section[] = [
  {
    fields: [
      { name: "name", required: true },
      { name: "description", kind: "textarea" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

export const EVSE_GROUP: Section[] = [
  {
    fields: [
      { name: "name", required: true, help: "help.evse_group_name" },
      { name: "description", kind: "textarea" },
    ],
  },
];

export const OFFER: Section[] = [
  {
    fields: [
      { name: "name", required: true },
      { name: "network", kind: "ref", ref: "evse_network", required: true },
      { name: "service_type", kind: "select", options: ["Authorization", "Reservation"] },
      { name: "slot_rule", kind: "select", options: ["by_time", "at_start"], words: "slot_rule" },
      { name: "offer_to_all", kind: "toggle" },
      { name: "partners", kind: "tags", when: ({ offer_to_all: all }) => !all, help: "help.partners" },
      { name: "valid_from", kind: "datetime" },
      { name: "unlimited", kind: "toggle" },
      { name: "valid_to", kind: "datetime", when: ({ unlimited }) => !unlimited },
      { name: "description", kind: "textarea" },
    ],
  },
  {
    title: "section.terms",
    folded: true,
    fields: [
      { name: "minimum_term", kind: "number", unit: "d", step: 1 },
      { name: "cancellation_period", kind: "number", unit: "d", step: 1 },
      { name: "period_of_notice", kind: "number", unit: "d", step: 1, when: ({ unlimited }) => !unlimited },
      { name: "period_of_notice_message", kind: "textarea", when: ({ unlimited }) => !unlimited },
      { name: "lead_time", kind: "number", unit: "d", step: 1, when: ({ unlimited }) => Boolean(unlimited), help: "help.lead_time" },
      { name: "two_step", kind: "toggle" },
      { name: "two_step_fields", kind: "tags", when: ({ two_step: two }) => Boolean(two), help: "help.two_step_fields" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

export const NEW_OFFER = { service_type: "Authorization", slot_rule: "by_time", offer_to_all: true, unlimited: true, lead_time: 15 };

/** An offer is made of what was exported elsewhere, or here. */
export const OICP_IMPORT: Section[] = [
  {
    fields: [
      { name: "name", required: true },
      { name: "network", kind: "ref", ref: "evse_network", required: true },
      { name: "pricing_product_data", kind: "json", required: true },
      { name: "evse_pricing", kind: "json", required: true },
    ],
  },
];

export const OCPI_IMPORT: Section[] = [
  {
    fields: [
      { name: "name", required: true },
      { name: "network", kind: "ref", ref: "evse_network", required: true },
      { name: "tariffs", kind: "json", required: true, help: "help.ocpi_tariffs" },
    ],
  },
];

export const TARIFFS: Section[] = [
  {
    fields: [
      {
        name: "components",
        kind: "rows",
        inner: [
          {
            name: "type",
            kind: "select",
            options: ["CHARGING_ENERGY", "CHARGING_TIME", "PARKING", "SESSION", "BLOCKING_FEE"],
            words: "component",
          },
          { name: "reference_unit", kind: "select", options: ["KILOWATT_HOUR", "MINUTE", "NONE"], words: "reference_unit" },
          { name: "price", kind: "number" },
          { name: "grace_period", kind: "number", unit: "min", step: 1 },
        ],
      },
    ],
  },
];

export const NETWORKS = resource({
  path: "/v1.1/evse_networks",
  page: "/panel/networks",
  words: "networks",
  scope: "evse_networks",
  name: (row) => row.name,
  sections: NETWORK,
  events: ["evse_network.*"],
});

export const OFFERS = resource({
  path: "/v1.1/service_offers",
  page: "/panel/offers",
  words: "offers",
  scope: "service_offers",
  name: (row) => row.name,
  sections: OFFER,
  initial: NEW_OFFER,
  events: ["service_offer.*"],
});
