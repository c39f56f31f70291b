// What the audit says of the paths that were called.
import { expect, test } from "vitest";

import { actionOf, pageOf, partsOf, whatOf } from "../src/panel/pages/audited";

const ID = "6b0b3a0f585ec5c3ff70a252";

test("a path is a thing, its id, and what follows", () => {
  expect(partsOf(`/v1.1/chargestations/${ID}/reset`)).toEqual({ kind: "chargestation", id: ID, rest: ["reset"] });
  expect(partsOf(`/v1.1/load_management/groups/${ID}`)).toEqual({ kind: "group", id: ID, rest: [] });
  expect(partsOf(`/v1.1/rates/schedule/${ID}`)).toEqual({ kind: "rate_schedule", id: ID, rest: [] });
  expect(partsOf(`/v1.1/portal/groups/${ID}/priority_charge`)).toEqual({ kind: "group", id: ID, rest: ["priority_charge"] });
});

test("a member of a group is known by its station", () => {
  expect(partsOf(`/v1.1/load_management/groups/chargestations/${ID}`)).toEqual({ kind: "chargestation", id: ID, rest: ["group"] });
});

test("tokens in paths are not shown", () => {
  expect(whatOf({ path: "/v1.1/account/invitations/xXVUFY4I9fVTKCOOsRC6o9xMwvJ3JL-e5nZ2I4VjZCw/accept" })).toBe("account invitations");
});

test("logging in by a link or by a provider is something done with the account", () => {
  const secret = "xXVUFY4I9fVTKCOOsRC6o9xMwvJ3JL-e5nZ2I4VjZCw";
  const said = { "login/…": "account", [`login/${secret}`]: "account", "oidc/depot/callback": "account oidc depot" };
  for (const [end, object] of Object.entries(said)) {
    expect(actionOf("GET", `/v1.1/account/${end}`)).toBe("log in");
    expect(whatOf({ path: `/v1.1/account/${end}` })).toBe(object);
  }
});

test("what was done is said in words, with the page of what it was done to", () => {
  expect(actionOf("POST", "/v1.1/locations")).toBe("create");
  expect(actionOf("PATCH", `/v1.1/locations/${ID}`)).toBe("update");
  expect(actionOf("POST", `/v1.1/load_management/groups/${ID}/chargestations`)).toBe("add: stations");
  expect(actionOf("POST", "/v1.1/account/login")).toBe("log in");
  expect(actionOf("PATCH", `/v1.1/webhooks/${ID}`)).toBe("update");
  expect(actionOf("POST", `/v1.1/chargestations/${ID}/change_availability`)).toBe("Change availability");
  expect(actionOf("POST", `/v1.1/chargestations/${ID}/acceptance_test`)).toBe("test a limit");
  expect(actionOf("GET", "/v1.1/account/login/xXVUFY4I9fVTKCOOsRC6o9xMwvJ3JL-e5nZ2I4VjZCw")).toBe("log in");
  expect(actionOf("DELETE", `/v1.1/load_management/groups/${ID}/external_cap`)).toBe("delete: cap from outside");
  expect(pageOf({ path: `/v1.1/locations/${ID}` })).toBe(`/panel/locations/${ID}`);
  expect(pageOf({ path: "/v1.1/locations" })).toBe("");
  // What was made has no id in the path.
  expect(pageOf({ path: "/v1.1/locations", object: ID })).toBe(`/panel/locations/${ID}`);
  expect(pageOf({ path: "/v1.1/account/login", object: ID })).toBe("");
});

test("an event of a station is about the station", () => {
  const line = { event: "chargestation.booted", object: ID };
  expect(pageOf(line)).toBe(`/panel/stations/${ID}`);
  expect(whatOf(line)).toMatch(/^Charging station: /);
  expect(whatOf({ event: "organization.retention.applied", object: null })).toBe("");
});
