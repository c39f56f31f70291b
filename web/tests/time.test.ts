// Exclusion times, price slots, series, places.
import { expect, test } from "vitest";

import { cluster, gridLines, kilometresBetween } from "../src/lib/geo";
import { inOrder, preview } from "../src/lib/prices";
import { align, valueAt } from "../src/lib/series";
import { plansOf, rowsOf } from "../src/lib/slots";
import { barsOfWeek, clockChanges } from "../src/lib/windows";

test("a window over midnight has two bars, the second on the next day", () => {
  const week = barsOfWeek([{ weekdays: ["sunday"], from: "23:00", to: "01:30" }]);
  expect(week[6]).toEqual([{ index: 0, from: 23, to: 24 }]);
  expect(week[0]).toEqual([{ index: 0, from: 0, to: 1.5 }]);
});

test("a window without days begins every day, one that is off has no bar", () => {
  expect(barsOfWeek([{ from: "10:00", to: "11:00" }]).every((day) => day.length === 1)).toBe(true);
  expect(barsOfWeek([{ from: "10:00", to: "11:00", enabled: false }]).flat()).toEqual([]);
});

test("clocks change in Amsterdam in October and never in UTC", () => {
  const [change] = clockChanges("Europe/Amsterdam", new Date("2026-10-20T12:00:00Z"), 14);
  expect(change?.minutes).toBe(-60);
  expect(change?.day.toISOString().slice(0, 10)).toBe("2026-10-25");
  expect(clockChanges("UTC", new Date("2026-10-20T12:00:00Z"), 14)).toEqual([]);
});

test("slots become rows and the same slots again", () => {
  const plans = [
    {
      days_of_week: ["MONDAY", "TUESDAY"],
      slots: [
        { start_time: "00:00:00", end_time: "06:59:59", tariff: "N" },
        { start_time: "07:00:00", end_time: "23:59:59", tariff: "D" },
      ],
    },
    { days_of_week: ["SUNDAY"], slots: [{ start_time: "00:00:00", end_time: "23:59:59", tariff: "N" }] },
  ];
  expect(plansOf(rowsOf(plans))).toEqual(plans);
});

test("a row without days holds all week, and 00:00 is the end of the day", () => {
  const [plan] = plansOf([{ weekdays: [], from: "00:00", until: "00:00", tariff: "N" }]);
  expect(plan?.days_of_week).toHaveLength(7);
  expect(plan?.slots[0]?.end_time).toBe("23:59:59");
});

test("steps hold until the next one, other series are there where they were measured", () => {
  const { times, values } = align([
    { times: [1, 3], values: [5, 6] },
    { times: [2], values: [9], isStep: true },
  ]);
  expect(times).toEqual([1, 2, 3]);
  expect(values).toEqual([
    [5, null, 6],
    [null, 9, 9],
  ]);
  expect(valueAt(times, values[0] ?? [], 2)).toBe(5);
});

test("prices come in the order per kWh, per time, per session, and a minimum is kept", () => {
  const components = [
    { type: "FLAT", price: 1 },
    { type: "ENERGY", price: 0.4, tax: 25 },
    { type: "PARKING_TIME", price: 2, grace_period: 1 },
  ];
  expect(inOrder(components).map(({ type }) => type)).toEqual(["ENERGY", "PARKING_TIME", "FLAT"]);
  expect(preview(components, 10, 2, 3).total).toBeCloseTo(5 + 4 + 1);
  expect(preview(components, 0, 0, 0, 7).total).toBe(7);
});

test("places that are near are one cluster, and the grid has few lines", () => {
  const points = [
    { at: { x: 0, y: 0 }, item: "a" },
    { at: { x: 5, y: 5 }, item: "b" },
    { at: { x: 99, y: 0 }, item: "c" },
  ];
  expect(cluster(points, 20).map(({ items }) => items)).toEqual([["a", "b"], ["c"]]);
  expect(gridLines(4.1, 5.3).length).toBeGreaterThanOrEqual(4);
  expect(Math.round(kilometresBetween([4.9, 52.37], [5.12, 52.09]))).toBe(35);
});
