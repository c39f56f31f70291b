// Texts: every language has every key with the same values to fill in.
import { expect, test } from "vitest";

import { texts as de } from "../src/i18n/de";
import { en } from "../src/i18n/en";

const holes = (text: string) => [...new Set([...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole))].sort();

test("German has every key of English and no other", () => {
  expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
});

test("translations have the same values to fill in", () => {
  // The API's own sentences may say more than a translation needs.
  const fits = (key: string, all: string[], own: string[]) =>
    key.startsWith("api.") ? own.every((hole) => all.includes(hole)) : all.join() === own.join();
  const wrong = Object.entries(en).filter(([key, text]) => !fits(key, holes(text), holes(de[key as keyof typeof de])));
  expect(wrong).toEqual([]);
});
