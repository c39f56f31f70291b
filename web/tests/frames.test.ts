// Recorded OCPP frames.
import { expect, test } from "vitest";

import { callsOf } from "../src/panel/pages/station/frames";

const message = (direction: "from_station" | "to_station", text: string) => ({
  at: "2026-01-01T00:00:00Z",
  direction,
  text,
  shortened: false,
});

test("an answer has the action of its call, also one that is an error", () => {
  const frames = callsOf([
    message("from_station", '[2,"7","Heartbeat",{}]'),
    message("to_station", '[3,"7",{}]'),
    message("to_station", '[2,"8","Reset",{"type":"Soft"}]'),
    message("from_station", '[4,"8","NotSupported","",{}]'),
  ]);
  expect(frames.map(({ kind, action }) => `${kind} ${action}`)).toEqual([
    "call Heartbeat",
    "answer Heartbeat",
    "call Reset",
    "error Reset",
  ]);
});

test("a frame whose end is missing still has its action, and noise has none", () => {
  const frames = callsOf([message("from_station", '[2,"9","MeterValues",{"connectorId":1,"meterV'), message("from_station", "hello")]);
  expect(frames.map(({ kind, action }) => `${kind} ${action}`)).toEqual(["call MeterValues", "other "]);
});
