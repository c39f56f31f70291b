// What did not work: every code of the API is said in both languages, and its own sentences are known as the server has them.
import { readdirSync, readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { Problem } from "../src/api/client";
import { texts as de } from "../src/i18n/de";
import { en } from "../src/i18n/en";
import { speak } from "../src/i18n/t.svelte";
import { faultText, fieldText, problemText, said, sentenceText } from "../src/lib/problems";

const above = (path: string) => new URL(`../../${path}`, import.meta.url);
const read = (path: string) => readFileSync(above(path), "utf8");

/** The codes of docs/ERRORS.md. */
const CODES = [...read("docs/ERRORS.md").matchAll(/^\| \d+ \| `(\w+)` \|/gm)].map(([, code]) => code as string);

/** The server's sources in one text, with texts that are broken over lines made whole. */
function sources(folder: string): string {
  const names = readdirSync(above(folder), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".rs"));
  return names.map((name) => read(`${folder}/${name}`).replace(/\\\n\s*/g, "")).join("\n");
}

beforeAll(() => {
  vi.stubGlobal("document", { documentElement: {} });
  vi.stubGlobal("navigator", { languages: ["de-DE"] });
});
afterAll(() => vi.unstubAllGlobals());

test("every code of the API is said in both languages", () => {
  expect(CODES.length).toBeGreaterThan(30);
  for (const texts of [en, de] as Record<string, string>[]) {
    expect(CODES.filter((code) => !texts[`problem.${code}`])).toEqual([]);
    const kinds = ["required", "invalid", "unknown", "out_of_range", "not_found", "read_only"];
    expect(kinds.filter((kind) => !texts[`fault.${kind}`])).toEqual([]);
  }
  const same = Object.keys(en).filter((key) => /^(problem|fault|api)\./.test(key) && en[key as "api.text"] === de[key as "api.text"]);
  expect(same).toEqual([]);
});

test("the sentences that are translated are the server's", () => {
  const all = sources("src") + sources("crates");
  const stray = Object.entries(en).filter(([key, text]) => {
    if (!key.startsWith("api.")) return false;
    // What is put before a sentence, and figures that are constants there, are no part of the literal.
    const parts = text.replace(/^must be |^must have /, "").split(/\{\w+\}/);
    return parts.some((part) => !all.includes(part.replaceAll('"', '\\"')) && !all.includes(part));
  });
  expect(stray).toEqual([]);
});

describe("in German", () => {
  beforeAll(() => speak("de"));

  test("a problem is said by its code", () => {
    expect(said(new Problem("The e-mail address or the password is wrong.", 401, "login_failed"))).toEqual({
      text: "Die E-Mail-Adresse oder das Passwort ist falsch.",
    });
    expect(said(new Problem("There is no such group", 404, "not_found")).text).toBe("Das gibt es nicht, oder nicht mehr.");
    expect(said(new Problem("", 0, "unreachable")).text).toMatch(/^Der Server ist nicht zu erreichen/);
    expect(said(new Problem("", 502, "unknown")).text).toBe("Der Server hat mit 502 geantwortet.");
  });

  test("a sentence that is known is said whole, with its figures and the labels of fields", () => {
    expect(problemText(new Problem("The EVSE still has 2 connector(s)", 409, "in_use"))).toBe("Die EVSE hat noch Stecker (2).");
    const fault = (message: string, code = "out_of_range") => faultText({ field: "x", code, message });
    expect(fault("must be between 0 and 1000000, with at most 6 decimals")).toBe(
      "muss zwischen 0 und 1.000.000 liegen, mit höchstens 6 Nachkommastellen",
    );
    expect(fault("must be kilowatts between 0 and 1000000")).toBe("muss zwischen 0 und 1.000.000 kW liegen");
    expect(fault("must be at least maximum_capacity")).toBe(`darf nicht kleiner sein als ${de["f.maximum_capacity"]}`);
    expect(fault("must be at least the minimum of 4.14 kW")).toBe("darf nicht kleiner sein als das Minimum von 4,14 kW");
    expect(fault("must have at most 100 characters", "invalid")).toBe("darf höchstens 100 Zeichen haben");
    expect(fault("is not accepted here", "invalid")).toBe("wird hier nicht angenommen");
  });

  test("what has no translation is said by its code, with the API's sentence beside it", () => {
    expect(said(new Problem("The moon is in the way of 3 cables", 409, "conflict"))).toEqual({
      text: "Das passt nicht zum jetzigen Zustand.",
      detail: "The moon is in the way of 3 cables",
    });
    expect(faultText({ field: "x", code: "out_of_range", message: "must rhyme" })).toBe("liegt nicht im erlaubten Bereich (must rhyme)");
    expect(faultText({ field: "x", code: "of_tomorrow", message: "must rhyme" })).toBe("must rhyme");
    expect(problemText(new Problem("Of tomorrow", 418, "of_tomorrow"))).toBe("Of tomorrow");
  });

  test("warnings and the steps of an acceptance test are said with their figures", () => {
    const clock = "the clock of its station is 312 s behind: limits are sent in its time, but set it right";
    expect(sentenceText(clock)).toBe("Die Uhr der Ladestation geht 312 s nach: Grenzen werden in ihrer Zeit gesendet, aber stellen Sie die Uhr.");
    expect(sentenceText("its meter shows 31.5 kW, of 30 kW that it may draw: limits are cut by the difference until it fits")).toBe(
      "Der Zähler zeigt 31,5 kW, erlaubt sind 30 kW: die Grenzen werden um den Unterschied gesenkt, bis es passt.",
    );
    expect(sentenceText("The meter showed 4.2 kW 6 s after the limit of 6.9 kW; before it was 7.4 kW")).toBe(
      "Der Zähler zeigte 6 s nach der Grenze von 6,9 kW noch 4,2 kW; davor waren es 7,4 kW.",
    );
    const left =
      "The limit was not removed, and is when the station connects next; a station that keeps to its end forgets it at 2026-11-29T12:00:00.000Z: it is offline";
    expect(sentenceText(left)).toMatch(/vergisst sie sie um 29\.11\.2026, \d\d:\d\d: it is offline$/);
    expect(sentenceText("Of tomorrow")).toBe("Of tomorrow");
  });

  test("faults have the names of their fields", () => {
    const faults = [
      { field: "name", code: "required", message: "is required" },
      { field: "tariffs[0].name", code: "invalid", message: "must be a text" },
    ];
    expect(said(new Problem("name: is required (and 1 more)", 422, "invalid_body", faults)).text).toBe(
      `Bitte prüfen: ${de["f.name"]}: muss angegeben werden; ${fieldText("tariffs[0].name")}: muss ein Text sein`,
    );
    expect(fieldText("of_tomorrow[2]")).toBe("of tomorrow 3");
  });

  test("a right that is lacking is named", () => {
    expect(said(new Problem("This needs the scope write:groups", 403, "forbidden")).text).toBe(
      "Ihre Rolle erlaubt das nicht. Es braucht das Recht write:groups.",
    );
  });
});

test("in English the API's own sentence is shown, but for what it says to programs", async () => {
  await speak("en");
  expect(said(new Problem("The moon is in the way", 409, "conflict"))).toEqual({ text: "The moon is in the way" });
  expect(said(new Problem("Log in by POST /v1.1/account/login", 401, "unauthenticated")).text).toMatch(/^You are not logged in/);
  expect(faultText({ field: "x", code: "invalid", message: "must rhyme" })).toBe("must rhyme");
});
