// What the page that connects a charger says of refusals.
import { expect, test } from "vitest";

import { refusalOf } from "../src/panel/pages/connect/steps";

const events = [
  { createdAt: "2026-11-28T20:28:01Z", data: { chargestation: "other", address: "10.0.0.9", count: 1 } },
  { createdAt: "2026-11-28T20:27:00Z", data: { chargestation: "ours", address: "10.0.0.7", count: 1 } },
  { createdAt: "2026-11-28T20:20:00Z", data: { chargestation: "ours", address: "10.0.0.8", count: 1 } },
];
const station = { _id: "ours", online: false, lastConnectAt: null };

test("the newest refusal of this station counts", () => {
  expect(refusalOf(station, events)).toEqual({ at: "2026-11-28T20:27:00Z", address: "10.0.0.7" });
});

test("what was refused before it connected is over", () => {
  expect(refusalOf({ ...station, lastConnectAt: "2026-11-28T20:27:30Z" }, events)).toBeUndefined();
  expect(refusalOf({ ...station, online: true }, events)).toBeUndefined();
});
