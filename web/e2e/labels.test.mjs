// The sheet of labels: from a selection, from a filter and from a location, on A4 and on as many sheets as it says.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { test } from "node:test";

import { axe } from "./browser.mjs";
import { api, it, visit } from "./panel.mjs";

const FOLDER = "shots";
const labels = () => it.page.locator(".label img");
const drawn = (count) =>
  it.page.waitForFunction(
    (count) => [...document.querySelectorAll(".label img")].filter(({ naturalWidth }) => naturalWidth > 0).length === count,
    count,
  );
/** How many pages printing gives, and how large they are in points. */
async function printed() {
  const file = (await it.page.pdf({ preferCSSPageSize: true })).toString("latin1");
  const sizes = [...file.matchAll(/\/MediaBox \[([\d. ]+)\]/g)].map(([, box]) => box);
  return { pages: [...file.matchAll(/\/Type \/Page\b(?!s)/g)].length, sizes: [...new Set(sizes)] };
}

test("stations that are selected are printed as labels, and nothing else of the page", async () => {
  await visit("/stations?q=bay&sort=name&order=asc");
  for (const name of ["Bay 1", "Bay 2"]) await it.page.getByRole("checkbox", { name: `Select ${name}` }).check();
  await it.page
    .getByRole("group", { name: /selected/ })
    .getByRole("link", { name: "Print labels" })
    .click();
  await it.page.getByRole("heading", { level: 1, name: "Labels" }).waitFor();
  const stations = await api("/chargestations?search=Bay&sort_by=name&sort_order=asc&paginate_limit=100");
  const evses = await api("/evses?paginate_enabled=false");
  const wanted = evses.filter(({ chargestation }) => stations.some(({ _id, name }) => _id === chargestation && /^Bay [12]$/.test(name)));
  await drawn(wanted.length);
  assert.equal(await labels().count(), wanted.length);
  for (const { code } of wanted) await it.page.getByText(code, { exact: true }).waitFor();
  assert.deepEqual(await axe(it.page), []);

  await it.page.emulateMedia({ media: "print" });
  assert.equal(await it.page.getByRole("heading", { level: 1 }).isVisible(), false);
  assert.equal(await it.page.getByRole("navigation").first().isVisible(), false);
  mkdirSync(FOLDER, { recursive: true });
  await it.page.screenshot({ path: `${FOLDER}/labels.png`, fullPage: true });
  await it.page.emulateMedia({ media: null });
  const { pages, sizes } = await printed();
  assert.equal(pages, 1);
  const [, , width, height] = sizes[0].split(" ").map(Number);
  assert.ok(Math.abs(width - 595) < 2 && Math.abs(height - 842) < 2, `A4 is 595 × 842 points: ${sizes}`);
});

test("all stations fill as many sheets as they need, and a sheet that was begun goes on", async () => {
  await visit("/labels?sheet=2x4");
  await labels().first().waitFor();
  const count = await labels().count();
  await drawn(count);
  assert.equal((await printed()).pages, Math.ceil(count / 8));
  await it.page.getByLabel("Labels that are used already").fill("7");
  await it.page.getByLabel("Labels that are used already").blur();
  await it.page.waitForFunction(() => document.querySelectorAll(".sheet:first-child .label img").length === 1);
  await drawn(count);
  assert.equal((await printed()).pages, Math.ceil((count + 7) / 8));
});

test("a location prints the labels of its stations, one for each connector where several work at once", async () => {
  await visit(`/locations/${it.server.data.office._id}`);
  await it.page.getByRole("link", { name: "Print labels" }).click();
  await drawn(4);
  assert.equal(await it.page.getByText("Gustav Mahlerlaan 10").count(), 4);
});

test("a location shows who may charge there, and which rates hold at how many connectors", async () => {
  const [depot] = await api("/locations?search=Depot%20North");
  const connectors = await api(`/connectors?location=${depot._id}&paginate_limit=1000`);
  await visit(`/locations/${depot._id}?tab=access`);
  const rates = it.page.getByRole("region", { name: "Rates", exact: true });
  const row = rates.getByRole("row", { name: /Day/ });
  assert.equal(await row.getByRole("cell").last().innerText(), String(connectors.length));
  await rates.getByRole("link", { name: "Day", exact: true }).click();
  await it.page.getByRole("heading", { level: 1, name: "Rates" }).waitFor();
  await it.page.getByRole("cell", { name: "Day", exact: true }).waitFor();
  assert.equal(await it.page.getByRole("cell", { name: "Night", exact: true }).count(), 0);

  await visit(`/locations/${it.server.data.office._id}?tab=access`);
  await it.page.getByText("4 connectors have no rate of their own.").waitFor();
  const access = it.page.getByRole("region", { name: "Access" });
  await access.getByText("Always open.").waitFor();
  await access.getByRole("link", { name: "2 of 2" }).first().click();
  await it.page.getByRole("heading", { level: 1, name: "Stations" }).waitFor();
});
