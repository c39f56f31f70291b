// A browser for the tests: Chromium as it is installed, with everything that is wrong on a page noted.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { chromium } from "playwright-core";

import { OPERATOR } from "./server.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS });
}

/** A page of its own context; `page.wrongs` collects console errors, page errors and breaches of the CSP. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1360, height: 860 },
    locale: "en-GB",
    timezoneId: "Europe/Amsterdam",
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.wrongs = [];
  page.on("pageerror", (error) => page.wrongs.push(`page: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    // A refused answer that the page shows is no fault of the page.
    if (/status of 4\d\d/.test(message.text())) return;
    page.wrongs.push(`console: ${message.text()}`);
  });
  return page;
}

/** Logs in at the panel. */
export async function logIn(page, url) {
  await page.goto(`${url}/panel`);
  await page.getByLabel("E-mail address").fill(OPERATOR.email);
  await page.getByLabel("Password").fill(OPERATOR.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.locator(".shell").waitFor();
}

/** What axe finds on the page as it is. */
export async function axe(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}: ${nodes
        .slice(0, 3)
        .map(({ html }) => html.slice(0, 160))
        .join(" | ")}`,
  );
}
