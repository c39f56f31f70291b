// Forms of users, tokens, reservations and home users.
import { userName } from "../../ui/refs.svelte";
import type { Section } from "../../ui/form";
import { TOKEN_TYPES } from "./options";
import { resource } from "../resource";

export const USER: Section[] = [
  {
    fields: [
      { name: "firstname", required: true },
      { name: "lastname", required: true },
      { name: "email", kind: "email" },
      { name: "role" },
      { name: "active", kind: "toggle" },
      { name: "private_group", kind: "toggle", help: "help.private_group" },
      { name: "favorite_chargestations", kind: "refs", ref: "chargestation" },
    ],
  },
  {
    title: "section.contact",
    folded: true,
    fields: [
      { name: "phone.mobile" },
      { name: "phone.home" },
      { name: "phone.work" },
      { name: "address.streetAndNumber" },
      { name: "address.postalCode" },
      { name: "address.city" },
      { name: "address.state" },
      { name: "address.country" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

export const TOKEN: Section[] = [
  {
    fields: [
      { name: "physicalId", required: true, help: "help.physicalId" },
      { name: "type", kind: "select", options: TOKEN_TYPES },
      { name: "user", kind: "ref", ref: "user" },
      { name: "status", kind: "select", options: ["active", "blocked"], words: "status" },
      { name: "expires_at", kind: "datetime" },
      { name: "parent_group", help: "help.parent_group" },
      { name: "meta_data", kind: "json" },
    ],
  },
];

export const RESERVATION: Section[] = [
  {
    fields: [
      { name: "connector", kind: "ref", ref: "connector", required: true },
      { name: "token", kind: "ref", ref: "token", help: "help.reservation_token" },
      { name: "user", kind: "ref", ref: "user" },
      { name: "duration_minutes", kind: "number", unit: "min", min: 1, step: 1, help: "help.duration_minutes" },
      { name: "expires_at", kind: "datetime" },
    ],
  },
];

export const HOME_USER: Section[] = [
  {
    fields: [{ name: "email", kind: "email", required: true, help: "help.home_user_email" }, { name: "firstname" }, { name: "lastname" }],
  },
];

export const USERS = resource({
  path: "/v1.1/users",
  page: "/panel/users",
  words: "users",
  scope: "users",
  name: userName,
  sections: USER,
  initial: { active: true },
  events: ["user.*"],
});

export const TOKENS = resource({
  path: "/v1.1/tokens",
  page: "/panel/tokens",
  words: "tokens",
  scope: "tokens",
  name: (row) => row.physicalId,
  sections: TOKEN,
  initial: { type: "ISO14443", status: "active" },
  events: ["token.*"],
});

export const RESERVATIONS = resource({
  path: "/v1.1/reservations",
  page: "/panel/reservations",
  words: "reservations",
  scope: "reservations",
  name: (row) => row.id_tag,
  sections: RESERVATION,
  updates: [{ fields: [{ name: "expires_at", kind: "datetime" }] }],
  events: ["reservation.*"],
});

export const HOME_USERS = resource({
  path: "/v1.1/home_users",
  page: "/panel/home-users",
  words: "home_users",
  scope: "home_users",
  name: (row) => row.email ?? row.lastname,
  sections: HOME_USER,
  events: ["home_user.*"],
});
