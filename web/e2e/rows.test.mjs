// Lists of nothing and of a thousand: what an empty one says to do, and how soon a long one is there.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { axe, launch, logIn, open } from "./browser.mjs";
import { client } from "./seed.mjs";
import { start } from "./server.mjs";

const ROWS = 1_000;
const EMPTY = [
  "/map",
  "/locations",
  "/stations",
  "/groups",
  "/groups?tab=list",
  "/assets",
  "/assets?tab=map",
  "/sessions",
  "/reservations",
  "/users",
  "/tokens",
  "/rates",
  "/rates?tab=schedules",
  "/home-users",
  "/networks",
  "/offers",
  "/profiles",
  "/templates",
  "/webhooks",
];

let server, browser, page, api;
before(async () => {
  [server, browser] = await Promise.all([start({ isEmpty: true }), launch()]);
  api = client(server.url, server.key);
  page = await open(browser, { acceptDownloads: true, permissions: ["clipboard-read", "clipboard-write"] });
  await logIn(page, server.url);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

const visit = async (path) => {
  await page.goto(`${server.url}/panel${path}`);
  await page.locator("h1").waitFor();
};

test("a server that nobody used yet says what to do first", async () => {
  await visit("");
  await page.getByRole("link", { name: "Connect a charging station" }).waitFor();
  assert.deepEqual(await axe(page), []);
});

test("every empty list says what it is for, and offers what comes next", async () => {
  const wrong = [];
  for (const path of EMPTY) {
    await visit(path);
    const empty = page.locator(".empty").first();
    await empty.waitFor();
    if ((await empty.innerText()).trim().length < 20) wrong.push(`${path} says nothing`);
    wrong.push(...(await axe(page)).map((one) => `${path}: ${one}`));
  }
  assert.deepEqual(wrong, []);
  assert.deepEqual(page.wrongs, []);
});

test("what a filter leaves out is said to be left out", async () => {
  await visit("/users?q=nobody");
  await page.getByText("Nothing matches").waitFor();
});

test("a thousand rows are paged, found, copied and downloaded", async () => {
  const place = await api("POST", "/locations", {
    operatorName: "Test",
    name: "Yard",
    address: { city: "Amsterdam", country: "NL" },
    coordinates: [4.9, 52.4],
    timezone: "Europe/Amsterdam",
  });
  for (let done = 0; done < ROWS; done += 20) {
    const names = Array.from({ length: 20 }, (_, index) => `Pole ${String(done + index).padStart(4, "0")}`);
    await Promise.all(names.map((name) => api("POST", "/chargestations", { name, location: place._id })));
  }
  await visit("/stations?sort=name&order=asc&limit=500");
  await page.getByText("1,000 rows").waitFor();
  await page.locator("tbody tr").nth(499).waitFor();
  const began = Date.now();
  await page.getByRole("searchbox").fill("0777");
  await page.getByText("1 row", { exact: true }).waitFor();
  assert.ok(Date.now() - began < 3_000, `${Date.now() - began} ms`);
  await page.getByRole("searchbox").fill("");
  await page.getByText("1,000 rows").waitFor();
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "CSV" }).click();
  const csv = await readFile(await (await download).path(), "utf8");
  assert.equal(csv.trim().split(/\r?\n/).length, ROWS + 1);
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByText("Copied", { exact: true }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied.split("\n").length, ROWS + 1);
  await page.getByRole("button", { name: "Next", exact: true }).click();
  await page.getByText("501–1,000 of 1,000").waitFor();
  assert.deepEqual(page.wrongs, []);
});

test("a thousand stations are on the map, and the search finds one beside it", async () => {
  await visit("/map");
  await page.getByText("and 800 more").waitFor();
  await page.getByRole("searchbox").fill("0777");
  await page.keyboard.press("Enter");
  await page
    .getByRole("button", { name: /Pole 0777/ })
    .first()
    .click();
  await page.getByRole("heading", { name: "Pole 0777" }).waitFor();
  assert.deepEqual(await axe(page), []);
});
