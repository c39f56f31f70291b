// Rings of clusters on the map.
import { expect, test } from "vitest";

import { ring } from "../src/lib/ring";

test("a ring has a part for each status, as long as its share, what needs a look first", () => {
  expect(ring(["ok", "bad", "ok", "ok"])).toBe("conic-gradient(var(--bad) 0turn 0.25turn, var(--ok) 0.25turn 1turn)");
  expect(ring(["busy", "idle"])).toBe("conic-gradient(var(--accent) 0turn 0.5turn, var(--muted) 0.5turn 1turn)");
});
