// Types of events in words: each that the server records has some, in both languages.
import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { speak } from "../src/i18n/t.svelte";
import { eventText } from "../src/lib/events";

const page = readFileSync(new URL("../../docs/EVENTS.md", import.meta.url), "utf8");
const named = [...page.matchAll(/^\| `([\w.]+\.\w+)` \| `/gm)].map(([, type]) => type as string);
const STEPS = ["requested", "accepted", "rejected"];
const actions = [...page.matchAll(/^- `([\w.]+)`$/gm)].flatMap(([, action]) => STEPS.map((step) => `${action}.${step}`));

beforeAll(() => {
  vi.stubGlobal("document", { documentElement: {} });
  vi.stubGlobal("navigator", { languages: ["en-GB"] });
});
afterAll(() => vi.unstubAllGlobals());

describe.each(["en", "de"] as const)("in %s", (language) => {
  beforeAll(() => speak(language));

  test("every event has words", () => {
    expect(named.length).toBeGreaterThan(120);
    expect(actions.length).toBeGreaterThan(150);
    expect([...named, ...actions].filter((type) => eventText(type) === type)).toEqual([]);
  });
});

test("what is not known here stays as it is", () => {
  expect(eventText("moon.risen")).toBe("moon.risen");
  expect(eventText("session.ended")).toBe("Ladevorgang: beendet");
  expect(eventText("connector.unlock.rejected")).toBe("Entriegeln: abgelehnt");
});
