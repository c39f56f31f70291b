// Why a limit is what it is: every code of the API has a sentence in every language, with its values in the reader's format.
import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { speak } from "../src/i18n/t.svelte";
import { becauseText, queuePosition, waitsFrom, warningText, type Because } from "../src/lib/because";

const GROUP = "650000000000000000000001";
const name = (id: string) => (id === GROUP ? "Depot" : id);
const scarce = { of: "group_power", group: GROUP, power: 30 } as const;
/** A quarter past three, of a day that is today. */
const at = "2026-04-24T03:15:00.000Z";

const SAID: [because: Because, english: string, german: string][] = [
  [{ code: "at_maximum" }, "All it can take.", "So viel, wie hier möglich ist."],
  [{ code: "learned_demand", demand: 6.25 }, "Its car has not used more than 6.25 kW.", "Das Auto hat nicht mehr als 6,25 kW genutzt."],
  [
    { code: "rising", next_at: at },
    "Its limit rises step by step, next at 03:15.",
    "Die Grenze steigt schrittweise, das nächste Mal um 03:15.",
  ],
  [
    { code: "shared", scarce, sharing: 5 },
    "Its share of the 30 kW of Depot for 5 sessions.",
    "Anteil: 5 Ladevorgänge teilen sich 30 kW von Depot.",
  ],
  [
    { code: "shared", scarce: { of: "group_current", group: GROUP, phase: 2, current: 10.5 }, sharing: 1 },
    "All of the 10.5 A on phase 2 of Depot: one session is there.",
    "Bekommt alles, was da ist: 10,5 A auf Phase 2 von Depot.",
  ],
  [{ code: "unchanged", wanted: 7.1 }, "A change to 7.1 kW is not worth a message.", "Eine Änderung auf 7,1 kW lohnt keine Nachricht."],
  [
    { code: "queued", scarce, position: 2, minimum: 4.14 },
    "It waits as number 2 in the queue: its minimum of 4.14 kW does not fit beside the others into the 30 kW of Depot.",
    "Wartet als Nummer 2: Das Minimum von 4,14 kW passt neben den anderen nicht hinein. Es gibt 30 kW von Depot.",
  ],
  [
    { code: "minimum_does_not_fit", scarce: { of: "external_power", limited: GROUP, power: 2 }, minimum: 4.14 },
    "Its minimum of 4.14 kW does not fit into the 2 kW that an external limit leaves its station, even alone.",
    "Schon allein passt das Minimum von 4,14 kW nicht hinein. Es gibt 2 kW, die eine externe Begrenzung der Station lässt.",
  ],
  [{ code: "off_time", until: at }, "It was stopped and stays off until 03:15.", "Wurde angehalten und bleibt bis 03:15 aus."],
  [
    { code: "waiting_for_headroom", until: at },
    "It starts again at 03:15 if there is room for it until then.",
    "Beginnt um 03:15 wieder, wenn bis dahin Platz bleibt.",
  ],
  [{ code: "can_wait" }, "It has time, and pauses for those that have less.", "Es ist Zeit genug; andere mit weniger Zeit laden zuerst."],
  [
    { code: "unsatisfiable", minimum: 4.14, maximum: 1.4 },
    "It needs at least 4.14 kW but may draw at most 1.4 kW.",
    "Braucht mindestens 4,14 kW, darf aber höchstens 1,4 kW ziehen.",
  ],
  [{ code: "no_session" }, "Nobody charges here.", "Hier lädt niemand."],
  [
    { code: "suspended_by_vehicle", kept_until: at },
    "Its car pauses, and the minimum is kept for it until 03:15.",
    "Das Auto pausiert; sein Minimum bleibt bis 03:15 frei.",
  ],
  [
    { code: "suspended_by_vehicle", kept_until: null },
    "Its car pauses, and it gets its minimum only when others leave it.",
    "Das Auto pausiert und bekommt sein Minimum erst, wenn andere es übrig lassen.",
  ],
  [{ code: "exclusion_window" }, "It must not charge at this time of day.", "Zu dieser Tageszeit darf hier nicht geladen werden."],
  [
    { code: "cheaper_later", until: "2026-04-25T01:00:00.000Z" },
    "It has time, and waits for cheaper hours until 25 Apr 2026, 01:00.",
    "Es ist Zeit genug; geladen wird ab 25.04.2026, 01:00, wenn es günstiger ist.",
  ],
  [
    { code: "reserved", why: "offline", reserved: 11 },
    "Its station is offline, so 11 kW is reserved for it.",
    "Die Station ist offline; 11 kW sind reserviert.",
  ],
  [
    { code: "not_in_tree" },
    "Its group is unknown, or hangs below an unknown group.",
    "Die Gruppe ist unbekannt oder hängt unter einer unbekannten.",
  ],
];

/** The values of the field that tells the forms of a schema apart. */
function codesOf(schema: string, field: string): string[] {
  const document = JSON.parse(readFileSync(new URL("../../openapi/openapi.json", import.meta.url), "utf8"));
  return document.components.schemas[schema].oneOf.map(
    (form: { properties: Record<string, { enum: string[] }> }) => form.properties[field]?.enum[0],
  );
}

beforeAll(() => {
  process.env.TZ = "UTC";
  vi.useFakeTimers({ now: Date.parse("2026-04-24T12:00:00Z") });
  vi.stubGlobal("document", { documentElement: {} });
});
afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe.each([
  ["en", "en-GB"],
  ["de", "de-DE"],
] as const)("in %s", (language, locale) => {
  beforeAll(async () => {
    vi.stubGlobal("navigator", { languages: [locale] });
    await speak(language);
  });

  test.each(SAID)("$code has its sentence", (because, english, german) => {
    expect(becauseText(because, name)).toBe(language === "en" ? english : german);
  });

  test("whatever was scarce, and whatever keeps a station from being steered, has its words", () => {
    const of = ["group_power", "group_current", "group_imbalance", "external_power", "external_current"];
    expect(codesOf("Scarce", "of").sort()).toEqual(of.sort());
    for (const one of of) {
      const scarce = { of: one, group: GROUP, limited: GROUP, phase: 3, power: 1, current: 6 } as never;
      expect(becauseText({ code: "shared", scarce, sharing: 2 }, name)).toMatch(/1 kW|6 A/);
    }
    for (const why of ["offline", "rejected", "timed_out", "not_obeying", "unproven"] as const)
      expect(becauseText({ code: "reserved", why, reserved: 11 }, name)).toMatch(/11 kW/);
  });
});

test("every code of the API is said here, and one that is not known has no sentence", () => {
  expect([...new Set(SAID.map(([{ code }]) => code))].sort()).toEqual(codesOf("Because", "code").sort());
  expect(becauseText({ code: "of_tomorrow" } as never, name)).toBeUndefined();
});

test("the queue is in the order of its positions, those that are not in it last", () => {
  const waiting: Because[] = [
    { code: "no_session" },
    { code: "queued", scarce, position: 2, minimum: 4 },
    { code: "queued", scarce, position: 1, minimum: 4 },
  ];
  const sorted = waiting.toSorted((one, other) => queuePosition(one) - queuePosition(other));
  expect(sorted).toEqual([waiting[2], waiting[1], waiting[0]]);
});

test("a car waits from when its session began, where its connector had nothing before", () => {
  expect(waitsFrom("2026-04-24T03:00:00Z", at)).toBe(Date.parse(at));
  expect(waitsFrom("2026-04-24T04:00:00Z", at)).toBe(Date.parse("2026-04-24T04:00:00Z"));
  expect(waitsFrom(null, at)).toBe(Date.parse(at));
  expect(waitsFrom("2026-04-24T03:00:00Z", undefined)).toBeUndefined();
});

test("a warning with figures stays in the API's words", () => {
  expect(warningText("never_connected")).toContain("verbunden");
  expect(warningText("fallbacks_exceed_capacity")).toBeUndefined();
});
