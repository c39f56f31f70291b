// The panel as a whole: login, lists, stations, accessibility, languages, keyboard.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { axe, logIn, open } from "./browser.mjs";
import { OPERATOR } from "./server.mjs";
import { api, button, dialog, it, visit } from "./panel.mjs";

test("a wrong password is refused in the API's words", async () => {
  const other = await open(it.browser);
  await other.goto(`${it.server.url}/panel`);
  await other.getByLabel("E-mail address").fill(OPERATOR.email);
  await other.getByLabel("Password").fill("something else");
  await other.getByRole("button", { name: "Log in" }).click();
  await other.getByRole("alert").getByText("The e-mail address or the password is wrong.").waitFor();
  assert.deepEqual(await axe(other), []);
  await other.context().close();
});

test("Now counts what is there, and each number opens its list", async () => {
  await visit("");
  await it.page.getByText("of 10 stations online").click();
  await it.page.waitForURL(/\/panel\/stations\?online=true/);
  await it.page.getByText("8 rows").waitFor();
});

test("each number of Now is that of the list that it opens, and Now asks for all of them at once", async () => {
  const asked = [];
  const note = (request) =>
    /\/v1\.1\/(?!account|pages|events|organizations)/.test(request.url()) && asked.push(new URL(request.url()).pathname);
  it.page.on("request", note);
  for (const text of ["stations offline", "stations faulted", "stations not obeying", "silent meters", "failed starts in 24 h"]) {
    await visit("");
    const figure = it.page.getByRole("link", { name: text });
    const count = await figure.locator("strong").textContent();
    if (text === "stations offline") assert.deepEqual([...new Set(asked.splice(0))], ["/v1.1/overview"]);
    await figure.click();
    await it.page.getByText(count === "1" ? "1 row" : `${count} rows`, { exact: true }).waitFor();
  }
  it.page.off("request", note);
});

test("the list of stations shows each one's group and whether it obeys, and is filtered by that", async () => {
  const asked = [];
  const note = (request) => asked.push(new URL(request.url()).pathname);
  it.page.on("request", note);
  await visit("/stations?q=Bay%201");
  const row = it.page.getByRole("row", { name: /Bay 1/ });
  const { name } = await api(`/load_management/groups/${it.server.data.depot._id}`);
  await row.getByRole("link", { name, exact: true }).waitFor();
  await row.getByText("obeying", { exact: true }).waitFor();
  assert.deepEqual(
    asked.filter((path) => path.startsWith("/v1.1/load_management")),
    [],
  );
  it.page.off("request", note);
  await it.page.getByRole("combobox", { name: "Obeying" }).selectOption("true");
  await it.page.waitForURL(/obeying=true/);
  await row.waitFor();
  await it.page.getByRole("combobox", { name: "Late" }).selectOption("true");
  await it.page.getByText("0 rows").waitFor();
});

test("a connector is found by the name of its station", async () => {
  await visit("/sessions?dialog=start");
  await dialog().getByRole("combobox").first().fill("Bay 4");
  await it.page
    .getByRole("option", { name: /^Bay 4 · / })
    .first()
    .waitFor();
});

test("stations are searched, sorted and paged, and the address keeps it over Back", async () => {
  await visit("/stations");
  await it.page.getByRole("searchbox").fill("bay");
  await it.page.getByText("8 rows").waitFor();
  await it.page.getByRole("button", { name: "Name", exact: true }).click();
  await it.page.waitForURL(/sort=name&order=asc/);
  await it.page.waitForFunction(() => document.querySelector("tbody a")?.textContent === "Bay 1");
  const here = it.page.url();
  await it.page.getByRole("link", { name: "Bay 1" }).click();
  await it.page.getByRole("heading", { name: "Bay 1" }).waitFor();
  await it.page.goBack();
  await it.page.waitForFunction(() => document.querySelector("tbody a")?.textContent === "Bay 1");
  assert.equal(it.page.url(), here);
});

test("the list is copied, printed and downloaded as CSV with its filters", async () => {
  await visit("/stations?q=bay&sort=name&order=asc");
  await it.page.locator("tbody tr").first().waitFor();
  const download = it.page.waitForEvent("download");
  await it.page.getByRole("link", { name: "CSV" }).click();
  const csv = await readFile(await (await download).path(), "utf8");
  assert.equal(csv.trim().split(/\r?\n/).length, 9);
  await button("Copy").click();
  await it.page.getByText("Copied", { exact: true }).waitFor();
  const copied = await it.page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied.split("\n").length, 9);
  assert.match(copied, /^Name\tOnline\t/);
  await it.page.evaluate(() => {
    window.print = () => (window.printed = document.querySelector("[data-print] tbody")?.children.length);
  });
  await button("Print").click();
  await it.page.waitForFunction(() => window.printed === 8);
});

test("columns are chosen and stay in the address", async () => {
  await visit("/stations");
  await button("Columns").click();
  await it.page.getByRole("checkbox", { name: "Communication protocol" }).check();
  await it.page.keyboard.press("Escape");
  assert.match(it.page.url(), /columns=.*protocol/);
  await it.page.getByRole("columnheader", { name: "Communication protocol" }).waitFor();
});

test("a station is created, its faults stand at their fields, it is updated and deleted", async () => {
  await visit("/stations");
  await button("Create").click();
  await dialog().getByLabel("Name").fill('<img src=x onerror="document.title=1">');
  await dialog().getByText("Connection", { exact: true }).click();
  await dialog().getByLabel("Endpoint").fill("not allowed!");
  await button("Save").click();
  const endpoint = dialog().getByLabel("Endpoint");
  await it.page.waitForFunction(() => document.querySelector("[aria-invalid=true]"));
  assert.equal(await endpoint.getAttribute("aria-invalid"), "true");
  // Back closes the dialog and loses nothing.
  await it.page.goBack();
  await dialog().waitFor({ state: "detached" });
  await button("Create").click();
  assert.match(await dialog().getByLabel("Name").inputValue(), /onerror/);
  await dialog().getByText("Connection", { exact: true }).click();
  await dialog().getByLabel("Endpoint").fill("");
  await button("Save").click();
  await it.page.getByRole("heading", { name: "<img src=x" }).waitFor();
  await it.page.getByText("never connected").waitFor();
  await button("Update").click();
  await dialog().getByLabel("Name").fill("Renamed");
  await button("Save").click();
  await it.page.getByRole("heading", { name: "Renamed" }).waitFor();
  await button("More").click();
  await it.page.getByRole("button", { name: "Delete", exact: true }).click();
  await dialog().getByRole("button", { name: "Delete", exact: true }).click();
  await it.page.getByRole("heading", { name: "Stations", exact: true }).waitFor();
});

test("a charger and its connector are created, and the charger has a QR code", async () => {
  const [, station] = await api("/chargestations?search=lift");
  await visit(`/stations/${station._id}`);
  await button("Create New EVSE").click();
  await dialog().getByLabel("Name").fill("Second pole");
  await button("Save").click();
  const pole = it.page.getByRole("region", { name: "Second pole" });
  await pole.getByRole("button", { name: "Create New Connector" }).last().click();
  await dialog()
    .getByLabel(/^Power ?\*$/)
    .fill("22");
  await button("Save").click();
  await pole.getByText("22.0 kW").waitFor();
  await pole.getByRole("button", { name: "QR code" }).click();
  const picture = dialog().getByRole("img");
  await it.page.waitForFunction(() => document.querySelector("dialog img")?.naturalWidth > 0);
  assert.match(await picture.getAttribute("alt"), /Second pole/);
});

test("a station's state is live: a change over the API shows within two seconds", async () => {
  const [bay] = await api("/chargestations?search=Bay%202");
  await visit(`/stations/${bay._id}`);
  await it.page.waitForTimeout(500);
  await api(`/chargestations/${bay._id}`, { method: "PATCH", body: JSON.stringify({ name: "Bay 2 renamed" }) });
  await it.page.getByRole("heading", { name: "Bay 2 renamed" }).waitFor({ timeout: 2_000 });
  await api(`/chargestations/${bay._id}`, { method: "PATCH", body: JSON.stringify({ name: "Bay 2" }) });
  await it.page.getByRole("heading", { name: "Bay 2", exact: true }).waitFor({ timeout: 2_000 });
});

test("configuration is read from the station, changed and pushed back", async () => {
  await visit("/stations?q=Bay%203");
  await it.page.getByRole("link", { name: "Bay 3" }).click();
  await it.page.getByRole("link", { name: "Configuration", exact: true }).click();
  await button("Read from station").click();
  await it.page.getByLabel("MeterValueSampleInterval", { exact: true }).fill("5");
  await button("Push 1 change").click();
  await it.page
    .getByRole("row", { name: /MeterValueSampleInterval/ })
    .getByText("must be at least 30")
    .waitFor();
  await it.page.getByLabel("MeterValueSampleInterval", { exact: true }).fill("60");
  await button("Push 1 change").click();
  await it.page.getByText("accepted", { exact: true }).waitFor();
});

test("a command has an outcome and stays in the log", async () => {
  await visit("/stations?q=Bay%203");
  await it.page.getByRole("link", { name: "Bay 3" }).click();
  await it.page.getByRole("link", { name: "Commands" }).click();
  await button("Trigger message").click();
  await dialog().getByLabel("Message").selectOption("Heartbeat");
  await button("Send").click();
  await dialog().getByText("completed").waitFor();
  await button("Close").click();
  await it.page
    .getByRole("row", { name: /Trigger message/ })
    .first()
    .waitFor();
});

test("messages are filtered and read", async () => {
  await visit("/stations?q=Bay%203");
  await it.page.getByRole("link", { name: "Bay 3" }).click();
  await it.page.getByRole("link", { name: "Messages" }).click();
  await it.page.getByRole("combobox").first().selectOption("BootNotification");
  await it.page.locator("summary", { hasText: "BootNotification" }).last().click();
  await it.page.locator("details[open] pre", { hasText: "chargePointVendor" }).first().waitFor();
});

test("the panel needs less than 150 kB before the first chart or map", async () => {
  const sizes = [];
  const count = async (response) => {
    if (/\/assets\//.test(response.url())) sizes.push(Number((await response.request().sizes()).responseBodySize));
  };
  const fresh = await open(it.browser);
  fresh.on("response", count);
  await logIn(fresh, it.server.url);
  await fresh.getByText("of 10 stations online").waitFor();
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total > 10_000 && total < 150_000, `${total} bytes`);
  await fresh.context().close();
});

test("the panel speaks German and remembers it", async () => {
  await visit("/account");
  await button("Operator").click();
  await it.page.getByLabel("Language").selectOption("de");
  await it.page.getByRole("link", { name: "Ladestationen" }).waitFor();
  await it.page.reload();
  await it.page.getByRole("link", { name: "Ladestationen" }).waitFor();
  assert.equal(await it.page.evaluate(() => document.documentElement.lang), "de");
  await it.page.getByRole("button", { name: "Operator" }).click();
  await it.page.getByLabel("Sprache").selectOption("en");
});

test("a list is reached and used with the keyboard alone", async () => {
  await visit("/stations");
  await it.page.locator("tbody tr").first().waitFor();
  await it.page.keyboard.press("Tab");
  await it.page.keyboard.press("Enter");
  assert.equal(await it.page.evaluate(() => document.activeElement?.id), "main");
  // The map, the labels, the way to connect a station, and the form of a new one.
  for (let step = 0; step < 4; step += 1) await it.page.keyboard.press("Tab");
  await it.page.keyboard.press("Enter");
  await dialog().waitFor();
  await it.page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
});

test("the history of a station says who changed it, and leads to what else they changed", async () => {
  const [station] = await api("/chargestations?search=lift");
  await visit(`/stations/${station._id}`);
  await button("Update").click();
  await dialog().getByLabel("Name").fill(`${station.name} again`);
  await button("Save").click();
  await it.page.getByRole("heading", { name: `${station.name} again` }).waitFor();
  await visit(`/stations/${station._id}?tab=history`);
  const changes = it.page.getByRole("region", { name: "Changes" });
  await changes.getByRole("link", { name: OPERATOR.name }).first().waitFor();
  const events = it.page.getByRole("region", { name: "Events" });
  await events.getByText("Charging station: changed").first().waitFor();
  assert.deepEqual(await axe(it.page), []);
  await changes.getByRole("link", { name: OPERATOR.name }).first().click();
  await it.page.waitForURL(/\/panel\/audit\?actor=[0-9a-f]{24}/);
  await it.page.getByText("What one of them changed.").waitFor();
  await api(`/chargestations/${station._id}`, { method: "PATCH", body: JSON.stringify({ name: station.name }) });
});

test("logging out asks for the password again", async () => {
  await visit("");
  await button("Operator").click();
  await button("Log out").click();
  await it.page.getByRole("heading", { name: "Log in" }).waitFor();
});
