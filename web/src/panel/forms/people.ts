// Forms of users, tokens, reservations and home users.
import type { Section } from "../../ui/form";
import { TOKEN_TYPES } from "./options";

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
