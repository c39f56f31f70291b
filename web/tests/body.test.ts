// Bodies of requests from the values of forms.
import { expect, test } from "vitest";

import { at, created, faultsOf, placed, patched } from "../src/lib/body";

test("what was left empty is not in a creation", () => {
  expect(created({ name: "A", "address.city": "Delft", code: "", power: 0, on: false })).toEqual({
    name: "A",
    address: { city: "Delft" },
    power: 0,
    on: false,
  });
});

test("a patch has what changed, and null for what was emptied", () => {
  const before = { name: "A", code: "x", address: { city: "Delft" }, active: true };
  expect(patched(before, { name: "B", code: "", "address.city": "Delft", active: true })).toEqual({ name: "B", code: null });
});

test("of an object within, a patch has what changed, and null for what was emptied", () => {
  const before = { address: { city: "Delft", country: "NL", state: "ZH" } };
  const values = { "address.city": "Leiden", "address.country": "NL", "address.state": "" };
  expect(patched(before, values)).toEqual({ address: { city: "Leiden", state: null } });
  expect(patched({ address: null }, { "address.city": "Leiden", "address.state": "" })).toEqual({ address: { city: "Leiden" } });
});

test("of a free object, a patch has what changed at any depth, and null for what is gone", () => {
  const before = { custom_fields: { a: "1", b: "2" }, meta_data: { deep: { x: 1, y: 2 }, list: [1] } };
  const values = { custom_fields: { a: "1" }, meta_data: { deep: { x: 1, y: 3 }, list: [1, 2], "dotted.name": "" } };
  expect(patched(before, values)).toEqual({
    custom_fields: { b: null },
    meta_data: { deep: { y: 3 }, list: [1, 2], "dotted.name": "" },
  });
});

test("lists are replaced as a whole", () => {
  expect(patched({ windows: [1, 2] }, { windows: [2] })).toEqual({ windows: [2] });
  expect(patched({ windows: [1] }, { windows: [1] })).toEqual({});
});

test("a path that leads nowhere is nothing", () => {
  expect(at({ a: { b: 1 } }, "a.b.c")).toBeUndefined();
});

test("faults of rows belong to the field of the rows, those of a longer name do not", () => {
  const faults = [{ field: "name" }, { field: "name_of" }, { field: "rows[0].name" }];
  expect(faultsOf(faults, "name")).toEqual([{ field: "name" }]);
  expect(faultsOf(faults, "rows")).toEqual([{ field: "rows[0].name" }]);
});

test("the fault of an object stands at the first of its fields, others where they are", () => {
  const faults = [{ field: "address" }, { field: "name" }, { field: "elsewhere" }];
  const paths = ["name", "address.city", "address.country"];
  expect(placed(faults, paths).map(({ field }) => field)).toEqual(["address.city", "name", "elsewhere"]);
});
