// Every page of the three apps: accessible in light and dark, in German without English words, never wider than a phone.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { axe, logIn, open } from "./browser.mjs";
import { driverPages, enterPortal, panelPages, PHONE, PORTAL_PAGES } from "./pages.mjs";
import { it, visit } from "./panel.mjs";

/** How long a page needs until lists, charts and names are there. */
const SETTLED_MS = 350;

const settled = (page) => page.waitForTimeout(SETTLED_MS);

/** What axe finds in light and dark. */
async function found(page, name) {
  const all = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    all.push(...(await axe(page)).map((one) => `${colorScheme} ${name}: ${one}`));
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  return all;
}

/** The texts of a language, by key. */
function textsOf(language) {
  const folder = new URL(`../src/i18n/${language}/`, import.meta.url);
  const source = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8"));
  return new Map([...source.join("\n").matchAll(/^ {2}"([^"]+)":\s*"((?:[^"\\]|\\.)*)"/gm)].map(([, key, text]) => [key, text]));
}

test("every page of the panel has nothing that axe finds, in light and dark", async () => {
  const wrong = [];
  for (const [name, path] of Object.entries(await panelPages(it.server))) {
    await visit(path);
    await settled(it.page);
    wrong.push(...(await found(it.page, name)));
  }
  assert.deepEqual(wrong, []);
});

test("in German no page shows an English text", async () => {
  const english = textsOf("en");
  const german = textsOf("de");
  const same = new Set(german.values());
  const only = new Set(
    [...english].filter(([key, text]) => german.get(key) !== text && !same.has(text) && text.length > 3).map(([, text]) => text),
  );
  // Names of people are in no language.
  for (const name of ["Operator", "Home", "User"]) only.delete(name);
  const page = await open(it.browser, { locale: "de-DE" });
  await page.goto(`${it.server.url}/panel`);
  await page.getByLabel("E-Mail-Adresse").fill("operator@example.com");
  await page.getByLabel("Passwort").fill("correct horse battery");
  await page.getByRole("button", { name: "Anmelden" }).click();
  await page.locator(".shell").waitFor();
  const wrong = [];
  for (const [name, path] of Object.entries(await panelPages(it.server))) {
    await page.goto(`${it.server.url}/panel${path}`);
    await page.locator("h1").waitFor();
    await settled(page);
    const shown = await page.evaluate(() => {
      const texts = [...document.querySelectorAll("body *")].flatMap((element) =>
        [...element.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ textContent }) => textContent.trim()),
      );
      return [...new Set(texts.filter(Boolean))];
    });
    wrong.push(...shown.filter((text) => only.has(text)).map((text) => `${name}: ${text}`));
  }
  await page.context().close();
  assert.deepEqual(wrong, []);
});

test("no page is wider than a phone, and nothing goes wrong on one", async () => {
  const page = await open(it.browser, PHONE);
  const wrong = [];
  const look = async (name, path) => {
    await page.goto(it.server.url + path);
    await page.locator("h1").first().waitFor();
    await settled(page);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) wrong.push(`${name} is wider by ${over}`);
    wrong.push(...page.wrongs.splice(0).map((one) => `${name}: ${one}`));
  };
  for (const [name, path] of Object.entries(driverPages(it.server))) {
    await look(name, path);
    wrong.push(...(await found(page, name)));
  }
  await enterPortal(page, it.server);
  for (const [name, path] of Object.entries(PORTAL_PAGES)) {
    await look(name, path);
    wrong.push(...(await found(page, name)));
  }
  await logIn(page, it.server.url);
  for (const [name, path] of Object.entries(await panelPages(it.server))) await look(name, `/panel${path}`);
  await page.context().close();
  assert.deepEqual(wrong, []);
});
