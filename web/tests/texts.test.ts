// Texts: every language has every key with the same values to fill in.
import { expect, test } from "vitest";

import { texts as de } from "../src/i18n/de";
import { en } from "../src/i18n/en";

const holes = (text: string) => [...new Set([...text.matchAll(/\{\w+\}/g)].map(([hole]) => hole))].sort();

test("German has every key of English and no other", () => {
  expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
});

test("translations have the same values to fill in", () => {
  const wrong = Object.entries(en).filter(([key, text]) => holes(text).join() !== holes(de[key as keyof typeof de]).join());
  expect(wrong).toEqual([]);
});
