// The tree of groups, and what is said of the stations in them.
import { expect, test } from "vitest";

import { isOver, membershipsOf, treeOf, type GroupNow } from "../src/panel/pages/group/overview";

const group = (_id: string, parent: string | null, members: object[] = []): GroupNow =>
  ({
    group: {
      _id,
      parent,
      chargestations: [...new Set(members.map((member) => (member as { chargestation: string }).chargestation))].map((chargestation) => ({
        chargestation,
      })),
    },
    status: { members },
  }) as unknown as GroupNow;

test("groups stand under their parents, and those whose parent is not known stand at the top", () => {
  const tree = treeOf([group("b", "a"), group("a", null), group("c", "b"), group("x", "gone")]);
  expect(tree.map(({ group: { _id }, depth }) => `${_id}${depth}`)).toEqual(["a0", "b1", "c2", "x0"]);
});

test("a station obeys when its meter stays below the most it may draw; without a meter nobody knows", () => {
  const member = (chargestation: string, drawing: number | null, worst: number) => ({ chargestation, session: "s", drawing, worst });
  const found = membershipsOf([group("a", null, [member("good", 10, 10), member("bad", 12, 10), member("mute", null, 10)])]);
  expect(["good", "bad", "mute"].map((id) => found.get(id)?.obeying)).toEqual(["obeying", "not_obeying", undefined]);
  expect(isOver({ drawing: 10.4, worst: 10 })).toBe(false);
});
