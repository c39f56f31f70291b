// Labels with QR codes: which there are, what stands on them, and how they lie on sheets.
import { expect, test } from "vitest";

import { filteredBy } from "../src/panel/pages/station/filters";
import { labelsOf, sheetsOf } from "../src/panel/pages/station/labels";

const place = { _id: "place", name: "Depot", address: { streetAndNumber: "Havenweg 1", postalCode: "1013 AA", city: "Amsterdam" } };
const station = (name: string, connectors: object[] = [], location: unknown = place) =>
  ({ _id: name, name, location, connectors }) as never;
const evse = (chargestation: string, number: number, more: object = {}) =>
  ({
    _id: `${chargestation}${number}`,
    chargestation,
    number,
    code: `C${chargestation}${number}`,
    name: null,
    simultaneous: false,
    ...more,
  }) as never;

test("each EVSE has a label, in the order of the stations' names and its number", () => {
  const labels = labelsOf([station("Bay 10"), station("Bay 2")], [evse("Bay 10", 1), evse("Bay 2", 2, { name: "Left" }), evse("Bay 2", 1)]);
  expect(labels.map(({ name }) => name)).toEqual(["Bay 2 · 1", "Bay 2 · Left", "Bay 10"]);
  expect(labels[2]).toEqual({
    key: "Bay 101",
    code: "CBay 101",
    name: "Bay 10",
    address: "Havenweg 1, 1013 AA Amsterdam",
    picture: "/v1.1/evses/Bay 101/qr.svg",
  });
});

test("where connectors work at once each has a label of its own", () => {
  const connectors = [
    { _id: "a", evse: "S1", code: null, number: 1, name: null },
    { _id: "b", evse: "S1", code: "R", number: 2, name: "Right" },
  ];
  const labels = labelsOf([station("S", connectors, null)], [evse("S", 1, { simultaneous: true })]);
  expect(labels.map(({ code, name, address, picture }) => [code, name, address, picture])).toEqual([
    ["CS1*1", "S · 1", "", "/v1.1/evses/S1/qr.svg?connector=a"],
    ["CS1*R", "S · Right", "", "/v1.1/evses/S1/qr.svg?connector=b"],
  ]);
});

test("a sheet that was begun goes on where it was left", () => {
  const labels = labelsOf(
    [station("S")],
    Array.from({ length: 24 }, (_, index) => evse("S", index + 1)),
  );
  const [first, second, ...more] = sheetsOf(labels, [3, 8], 2);
  expect([first?.length, second?.length, more.length]).toEqual([24, 2, 0]);
  expect(first?.slice(0, 3).map((label) => label?.code)).toEqual([undefined, undefined, "CS1"]);
  expect(sheetsOf(labels, [3, 8], 0).length).toBe(1);
  expect(sheetsOf([], [3, 8], 0)).toEqual([]);
});

test("a link to labels has the filters of the list, and nothing else of its address", () => {
  const address = new URLSearchParams("online=true&q=bay&page=3&columns=name&dialog=create&group=");
  expect(filteredBy(address)).toBe("online=true&q=bay");
});
