// Forms of webhooks, API keys and the organization.
import type { Section } from "../../ui/form";
import { ADDRESS } from "./address";
import { CONCURRENT_CARDS, SECURITY_TYPES, UNKNOWN_CARDS, UNKNOWN_CONNECTORS } from "./options";
import { resource } from "../resource";

export const WEBHOOK: Section[] = [
  {
    fields: [
      { name: "url", required: true, help: "help.webhook_url" },
      { name: "events", help: "help.webhook_events" },
      { name: "alert_email", kind: "email", help: "help.alert_email" },
      { name: "active", kind: "toggle" },
      { name: "description", kind: "textarea" },
    ],
  },
];

export const API_KEY: Section[] = [
  {
    fields: [
      { name: "name", required: true },
      { name: "mode", kind: "select", options: ["live", "test"], words: "mode" },
      { name: "scopes", kind: "tags", help: "help.scopes" },
      { name: "expires_at", kind: "datetime" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

/** What an organization shows of itself. */
export const PROFILE: Section[] = [
  { fields: [{ name: "name", required: true }] },
  {
    title: "section.support",
    fields: [
      { name: "support_contact.phone" },
      { name: "support_contact.email", kind: "email" },
      { name: "support_contact.url", help: "help.support_url" },
    ],
  },
  {
    title: "section.address",
    fields: ADDRESS,
  },
];

export const ORGANIZATION: Section[] = [
  ...PROFILE,
  {
    title: "section.more",
    fields: [
      { name: "unknown_cards", kind: "select", options: UNKNOWN_CARDS, words: "unknown_cards" },
      { name: "concurrent_cards", kind: "select", options: CONCURRENT_CARDS, words: "unknown_cards" },
      { name: "unknown_connectors", kind: "select", options: UNKNOWN_CONNECTORS, words: "unknown_connectors" },
      { name: "default_security", kind: "select", options: SECURITY_TYPES, words: "security" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

export const OPERATOR: Section[] = [
  {
    fields: [
      { name: "email", kind: "email", required: true },
      { name: "name" },
      { name: "role", kind: "select", options: ["Admin", "Operator", "Viewer"], words: "role", required: true, help: "help.role" },
      { name: "locations", kind: "refs", ref: "location", nullable: true, help: "help.operator_locations" },
    ],
  },
];

export const WEBHOOKS = resource({
  path: "/v1.1/webhooks",
  page: "/panel/webhooks",
  words: "webhooks",
  scope: "webhooks",
  name: (row) => row.url,
  sections: WEBHOOK,
  initial: { active: true },
  events: ["webhook.*"],
});

/** The mode of a key stays as it was made; whether it works is changed. */
const KEY_UPDATE: Section[] = [
  { fields: [...(API_KEY[0]?.fields ?? []).filter(({ name }) => name !== "mode"), { name: "active", kind: "toggle" }] },
];

export const API_KEYS = resource({
  path: "/v1.1/api_keys",
  page: "/panel/api-keys",
  words: "api_keys",
  scope: "api_keys",
  name: (row) => row.name,
  sections: API_KEY,
  updates: KEY_UPDATE,
});

/** Whom somebody is stays; what they may is changed. */
const OPERATOR_UPDATE: Section[] = [{ fields: [...(OPERATOR[0]?.fields.slice(2) ?? []), { name: "active", kind: "toggle" }] }];

export const OPERATORS = resource({
  path: "/v1.1/operators",
  page: "/panel/settings",
  words: "operators",
  scope: "operators",
  name: (row) => row.name || (row.email ?? ""),
  sections: OPERATOR,
  updates: OPERATOR_UPDATE,
  initial: { role: "Viewer" },
});
