// The tree of groups, and the curves of one.
import { expect, test } from "vitest";

import { ahead, begins, past, type GroupHistory } from "../src/panel/pages/group/curves";
import { isOver, treeOf, type GroupLine } from "../src/panel/pages/group/overview";

const line = (group: string, parent: string | null): GroupLine => ({ group, parent }) as GroupLine;

test("groups stand under their parents, and those whose parent is not known stand at the top", () => {
  const tree = treeOf([line("b", "a"), line("a", null), line("c", "b"), line("x", "gone")]);
  expect(tree.map(({ group, depth }) => `${group}${depth}`)).toEqual(["a0", "b1", "c2", "x0"]);
});

test("a meter's error is not over the limit", () => {
  expect(isOver({ drawing: 10.4, worst: 10 })).toBe(false);
  expect(isOver({ drawing: 10.8, worst: 10 })).toBe(true);
});

/** Five minutes from 00:00 on, of which three and a half have passed. */
const history = (drawn: (number | null)[], planned: (number | null)[] = []): GroupHistory => ({
  timeline: { from: "1970-01-01T00:00:00.000Z", resolution: 60, drawn, granted: drawn.map(() => null), planned } as never,
  now: 210,
  hours: 1,
});

test("the past ends now, with what is known now in place of the span that is not over", () => {
  const shown = past(history([null, 2, 3, null, null]), [null, 2, 3, null, null], 5);
  expect(shown.times).toEqual([0, 60, 120, 180, 210, 210.001]);
  expect(shown.values).toEqual([null, 2, 3, null, 5, null]);
});

test("the plan begins now and ends with its last span", () => {
  const planned = [null, null, null, 7, 8];
  expect(ahead(history([], planned), planned)).toEqual({ times: [210, 240, 300], values: [7, 8, null], isStep: true });
  expect(ahead(history([]), [null, null]).times).toEqual([]);
});

test("a chart begins with what is known, five minutes ago at the latest", () => {
  const later = (seconds: number, drawn: (number | null)[]) => ({ ...history(drawn), now: seconds });
  expect(begins(later(1_000, [null, 2, 3]))).toBe(60);
  expect(begins(later(400, [null, null, 3]))).toBe(100);
  expect(begins(later(10_000, [1, 2, 3]))).toBe(6_400);
});
