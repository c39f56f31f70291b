// The first hour of somebody who has only the pages: what goes wrong is said where it goes wrong, and what comes next is a link.
import assert from "node:assert/strict";
import http from "node:http";
import { after, afterEach, before, test } from "node:test";

import { axe, launch, logIn, open } from "./browser.mjs";
import { client } from "./seed.mjs";
import { start } from "./server.mjs";

let server;
let browser;
let page;

before(async () => {
  [server, browser] = await Promise.all([start({ isEmpty: true }), launch()]);
  page = await open(browser);
  await logIn(page, server.url);
});
after(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(() => assert.deepEqual(page.wrongs.splice(0), []));

const dialog = () => page.getByRole("dialog");

/** A station that comes with a wrong password; the status of the answer. */
function knock(url, identity) {
  const { port } = new URL(url);
  const headers = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "ocpp1.6",
    Authorization: `Basic ${Buffer.from(`${identity}:wrong`).toString("base64")}`,
  };
  return new Promise((answered, failed) =>
    http
      .get({ host: "127.0.0.1", port, path: `/ocpp/${identity}`, headers }, (answer) => answered(answer.resume().statusCode))
      .on("error", failed),
  );
}

test("a location that was typed and is none is said to be none, and nothing is created without it", async () => {
  await page.goto(`${server.url}/panel/connect`);
  await page.getByLabel("Name").fill("Garage left");
  await page.getByLabel("Location").fill("Depot");
  await page.getByRole("button", { name: "Create and connect" }).click();
  await page.getByText("Nothing is called “Depot”").waitFor();
  assert.deepEqual(await axe(page), []);
  assert.match(page.url(), /\/panel\/connect$/);
});

test("the first location is created from there, takes a pasted place, and what was typed is kept", async () => {
  await page.getByRole("link", { name: /^create one/ }).click();
  await dialog().getByLabel("Name").fill("Depot");
  assert.notEqual(await dialog().getByLabel("Operator").inputValue(), "", "the organization runs it");
  await dialog()
    .getByLabel("Longitude")
    .evaluate((input) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text", "52.0907, 5.1214");
      input.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    });
  assert.equal(await dialog().getByLabel("Longitude").inputValue(), "5.1214");
  assert.equal(await dialog().getByLabel("Latitude").inputValue(), "52.0907");
  await dialog().getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Depot" }).waitFor();
  await page.getByRole("link", { name: "Connect a charging station" }).first().click();
  assert.equal(await page.getByLabel("Name").inputValue(), "Garage left");
  // A name that is typed to its end is chosen.
  await page.getByLabel("Location").fill("depot");
  await page.getByRole("option", { name: "Depot" }).waitFor();
  await page.getByLabel("Name").focus();
  assert.equal(await page.getByLabel("Location").inputValue(), "Depot");
});

test("a charger whose connector is refused is made once, as it is called in the end", async () => {
  await page.getByLabel("Name").fill("Garage right");
  await page.getByLabel("Power", { exact: true }).fill("-3");
  const refused = () => page.waitForResponse((answer) => answer.url().endsWith("/connectors") && answer.status() === 422);
  for (let time = 0; time < 2; time += 1) {
    await Promise.all([refused(), page.getByRole("button", { name: "Create and connect" }).click()]);
  }
  await page.getByText(/must be kilowatts/).waitFor();
  await page.getByLabel("Name").fill("Garage left");
  await page.getByLabel("Power", { exact: true }).fill("11");
});

test("a charger with a wrong password is said to be refused", async () => {
  await page.getByRole("button", { name: "Create and connect" }).click();
  await page.getByText("Only this tab still shows it").waitFor();
  const stations = await client(server.url, server.key)("GET", "/chargestations");
  assert.deepEqual(stations.map(({ name }) => name), ["Garage left"]);
  const [station] = stations;
  assert.equal(await knock(server.url, station.endpoint), 401);
  await page.getByText(/a station with this identity came from .* and was refused/).waitFor();
  assert.deepEqual(await axe(page), []);
});

test("a group says where its stations come from when none is found", async () => {
  const group = { name: "Grid", maximum_capacity: 10 };
  const [{ _id: location }] = await client(server.url, server.key)("GET", "/locations");
  const { _id: id } = await client(server.url, server.key)("POST", "/load_management/groups", { ...group, location });
  await page.goto(`${server.url}/panel/groups/${id}?tab=members&dialog=add`);
  await dialog().getByLabel("Station").fill("elsewhere");
  await dialog().getByText("No station that is in no group is found at this group's location.").waitFor();
});

test("the audit names what was done, and to what", async () => {
  await page.goto(`${server.url}/panel/audit`);
  await page.getByRole("row", { name: /add: connectors Charging station: Garage left/ }).waitFor();
  await page.getByRole("link", { name: "Charging station: Garage left" }).first().click();
  await page.getByRole("heading", { name: "Garage left" }).waitFor();
});

test("a link that is dead says so and asks for nothing", async () => {
  const stranger = await open(browser);
  await stranger.goto(`${server.url}/panel/invitations/never-made`);
  await stranger.getByText("This link does not work any more").waitFor();
  assert.equal(await stranger.getByLabel("The same again").count(), 0);
  await stranger.getByRole("link", { name: "To the login" }).click();
  await stranger.getByRole("button", { name: "Log in" }).waitFor();
  assert.deepEqual(stranger.wrongs, []);
  await stranger.context().close();
});
