// Copy and CSV.
import { expect, test } from "vitest";

import { readCsv } from "../src/lib/csv";
import { cell, tabSeparated } from "../src/lib/sheet";

test("what a spreadsheet would run gets an apostrophe, numbers stay", () => {
  expect(cell("=1+1")).toBe("'=1+1");
  expect(cell("@SUM(A1)")).toBe("'@SUM(A1)");
  expect(cell("-5.2")).toBe("-5.2");
  expect(cell("+31 20 123")).toBe("'+31 20 123");
});

test("a cell is one line", () => {
  expect(tabSeparated(["a"], [["x\ty\nz"]])).toBe("a\nx y z");
});

test("CSV is read with quotes, line ends of every kind, and a byte-order mark", () => {
  expect(readCsv('\uFEFFphysicalId,user\r\n"04,A1","say ""hi"""\r\n\r\n04B2,\n')).toEqual([
    ["physicalId", "user"],
    ["04,A1", 'say "hi"'],
    ["04B2", ""],
  ]);
});

test("CSV is read with semicolons", () => {
  expect(readCsv("a;b\n1,5;2")).toEqual([
    ["a", "b"],
    ["1,5", "2"],
  ]);
});
