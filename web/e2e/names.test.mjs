// Names that are markup, and names of eighty characters, in every field that people name things with: shown as what they are.
import assert from "node:assert/strict";
import { test } from "node:test";

import { open } from "./browser.mjs";
import { driverPages, enterPortal, panelPages, PHONE, PORTAL_PAGES } from "./pages.mjs";
import { it, visit } from "./panel.mjs";
import { client } from "./seed.mjs";

const MARKUP = `<img src=x onerror="window.hit=1">`;
const LONG = "Ladepunktbezeichnung ohne jedes Ende ".repeat(3).slice(0, 80);
/** What names a thing, and what is read beside its name. */
const FIELDS = [
  "name",
  "description",
  "notes",
  "operatorName",
  "directions",
  "manufacturer",
  "model",
  "serial_number",
  "firstname",
  "lastname",
];
const LISTS = [
  "/locations",
  "/chargestations",
  "/evses",
  "/connectors",
  "/load_management/groups",
  "/assets",
  "/users",
  "/rates",
  "/rates/schedule",
  "/evse_networks",
  "/charging_profiles",
  "/configuration_templates",
  "/webhooks",
  "/api_keys",
  "/service_offers",
];
const api = (...asked) => client(it.server.url, it.server.key)(...asked);

/** Gives a field of a thing this text, or as much of it as the API lets it have; whether it took it. */
async function name(list, id, field, text) {
  const said = await api("PATCH", `${list}/${id}`, { [field]: text }).catch(({ message }) => message);
  if (typeof said !== "string") return true;
  const most = Number(/at most (\d+) char/.exec(said)?.[1] ?? 0);
  return most > 0 && most < text.length && name(list, id, field, text.slice(0, most));
}

/** Gives every thing that there is this name, and its other fields too; the fields that took it. */
async function nameAll(text) {
  const taken = new Set();
  for (const list of LISTS)
    for (const row of await api("GET", `${list}?paginate_limit=100`))
      for (const field of FIELDS.filter((one) => one in row)) if (await name(list, row._id, field, text)) taken.add(`${list} ${field}`);
  await api("PATCH", "/organization", { name: text });
  const nameless = LISTS.filter((list) => !["/users", "/webhooks"].includes(list) && !taken.has(`${list} name`));
  assert.deepEqual(nameless, [], "names that were refused");
  return taken;
}

/** Opens every page; `look` says what is wrong with it. */
async function walk(page, look) {
  const wrong = [];
  const go = async (name, path) => {
    await page.goto(it.server.url + path);
    await page
      .locator("h1")
      .first()
      .waitFor()
      .catch(() => wrong.push(`${name} has no heading`));
    await page.waitForTimeout(300);
    wrong.push(...(await look(page)).map((one) => `${name}: ${one}`), ...page.wrongs.splice(0).map((one) => `${name}: ${one}`));
  };
  for (const [name, path] of Object.entries(await panelPages(it.server))) await go(name, `/panel${path}`);
  for (const [name, path] of Object.entries(driverPages(it.server))) await go(name, path);
  return wrong;
}

test("a name that is markup is shown, and never becomes an element or runs", async () => {
  const taken = await nameAll(MARKUP);
  assert.ok(taken.size >= 20, `only ${[...taken].join(", ")}`);
  let shown = 0;
  const wrong = await walk(it.page, async (page) => {
    shown += (await page.locator("body").innerText()).includes("<img src=x") ? 1 : 0;
    return page.evaluate(() => [
      ...(window.hit ? ["it ran"] : []),
      ...(document.querySelector("img[src='x']") ? ["it is an element"] : []),
    ]);
  });
  assert.deepEqual(wrong, []);
  assert.ok(shown > 30, `shown on ${shown} pages`);
  const phone = await open(it.browser, PHONE);
  await enterPortal(phone, it.server);
  for (const path of Object.values(PORTAL_PAGES)) {
    await phone.goto(it.server.url + path);
    await phone.waitForTimeout(300);
    assert.equal(await phone.evaluate(() => Boolean(window.hit) || document.querySelector("img[src='x']") !== null), false);
  }
  await phone.context().close();
});

test("a name that is markup goes through the forms of the panel", async () => {
  await visit("/locations?dialog=create");
  const dialog = it.page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill(MARKUP);
  await dialog.getByLabel(/^Operator ?\*$/).fill(MARKUP);
  await dialog.getByLabel("Longitude").fill("4.9");
  await dialog.getByLabel("Latitude").fill("52.3");
  await dialog.getByRole("button", { name: "Save" }).click();
  await it.page.getByRole("heading", { name: "<img src=x" }).waitFor();
  assert.equal(await it.page.evaluate(() => Boolean(window.hit)), false);
});

test("names of eighty characters break no page, on a desk or a phone", async () => {
  await nameAll(LONG);
  const isWide = (page) => page.evaluate(() => (document.documentElement.scrollWidth > innerWidth ? ["scrolls sideways"] : []));
  assert.deepEqual(await walk(it.page, isWide), []);
  await it.page.setViewportSize(PHONE.viewport);
  assert.deepEqual(await walk(it.page, isWide), []);
});
