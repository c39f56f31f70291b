// A driver on a phone who logs in by a link in an e-mail: chargers for members only, charging without a card, the own sessions.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { axe, launch, open } from "./browser.mjs";
import { startMail } from "./mail.mjs";
import { PHONE } from "./pages.mjs";
import { client } from "./seed.mjs";
import { start } from "./server.mjs";
import { connectStation } from "./station.mjs";

const ADA = "ada@example.com";
let mail;
let server;
let browser;
let page;
let station;
let code;

before(async () => {
  mail = await startMail();
  [server, browser] = await Promise.all([start({ isNew: true, options: mail.options }), launch()]);
  page = await open(browser, { ...PHONE, hasTouch: true });
  const api = client(server.url, server.key);
  const site = { operatorName: "Depot", name: "Depot", address: { city: "Amsterdam" }, coordinates: [4.9, 52.37] };
  const location = await api("POST", "/locations", site);
  const rate = await api("POST", "/rates", { name: "Day", currency: "EUR", price_components: [{ type: "FLAT", price: 1.5 }] });
  const make = async (name, fields) => {
    const made = await api("POST", "/chargestations", { name, location: location._id, security: { type: "none" }, ...fields });
    await api("POST", `/chargestations/${made._id}/connectors`, { type: "Type2", power: 11, rate: rate._id });
    return made;
  };
  await make("Street", {});
  const yard = await make("Yard", { visible: false });
  station = await connectStation(browser, yard.connection_url);
  [{ code }] = await api("GET", `/evses?chargestation=${yard._id}`);
  await api("POST", "/users", { firstname: "Ada", lastname: "Lovelace", email: ADA, private_group: true });
});
after(async () => {
  await station?.close();
  await browser?.close();
  await server?.close();
  await mail?.close();
});
afterEach(() => assert.deepEqual(page.wrongs.splice(0), []));

/** Asks for a link on the page that is open, and answers it. */
async function link(from, email) {
  await from.getByRole("button", { name: "Log in", exact: true }).click();
  await from.getByRole("dialog").getByLabel("E-mail address").fill(email);
  await from.getByRole("button", { name: "Send the link" }).click();
  await from.getByText("If we know this address").waitFor();
  const found = /http:\S+\/map#login\/[\w-]+/.exec(await mail.next())?.[0];
  assert.ok(found, "the e-mail has a link");
  await from.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
  return server.url + new URL(found).pathname + new URL(found).hash;
}

test("who is not logged in sees what everybody sees, and asks for a link by the keyboard", async () => {
  await page.goto(`${server.url}/map`);
  await page.getByText("Street").first().waitFor();
  assert.equal(await page.getByText("Yard").count(), 0);
  await page.goto(`${server.url}/e/${code}`);
  await page.getByText("There is no charger with this code").waitFor();
  const button = page.getByRole("button", { name: "Log in", exact: true });
  await button.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.ok(await button.evaluate((element) => element === document.activeElement), "the focus is back");
});

test("the link logs in by its button alone, once, and leads back to the charger", async () => {
  const to = await link(page, ADA);
  await page.goto(to);
  await page.getByText("Log in at this browser?").waitFor();
  assert.equal(new URL(page.url()).hash, "", "the secret is not in the address bar");
  assert.deepEqual(await axe(page), []);
  const before = await page.context().cookies(`${server.url}/v1.1/driver/account`);
  assert.deepEqual(before, [], "opening it logs nobody in");
  await page.getByRole("main").getByRole("button", { name: "Log in", exact: true }).tap();
  await page.getByRole("heading", { name: "Yard" }).waitFor();
  await page.getByText("Members only").waitFor();
  assert.equal(new URL(page.url()).pathname, `/e/${code}`);
  const [cookie] = await page.context().cookies(`${server.url}/v1.1/driver/account`);
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ["evenwatt_driver", true, "Strict"]);
  await page.goto(`${server.url}/map`);
  await page.goto(to);
  await page.getByRole("main").getByRole("button", { name: "Log in", exact: true }).tap();
  await page.getByText("This link does not work any more").waitFor();
  await page.getByRole("button", { name: "To all chargers" }).tap();
  await page.getByText("Yard").first().waitFor();
  await page.getByText("Members only").first().waitFor();
  assert.deepEqual(await axe(page), []);
});

test("a driver starts as herself, and stops at another browser", async () => {
  await page.goto(`${server.url}/e/${code}`);
  await page.getByRole("button", { name: "Start as Ada Lovelace" }).waitFor();
  assert.deepEqual(await axe(page), []);
  await page.getByRole("button", { name: "Start as Ada Lovelace" }).tap();
  await page.getByRole("button", { name: "Stop charging" }).waitFor();
  const laptop = await open(browser, { locale: "de-DE" });
  await laptop.goto(`${server.url}/map`);
  await laptop.getByRole("button", { name: "Anmelden", exact: true }).click();
  await laptop.getByRole("dialog").getByLabel("E-Mail-Adresse").fill(ADA);
  await laptop.getByRole("button", { name: "Link senden" }).click();
  const found = /\/map#login\/[\w-]+/.exec(await mail.next())?.[0];
  await laptop.getByRole("dialog").getByRole("button", { name: "Schließen" }).last().click();
  await laptop.goto(server.url + found);
  await laptop.getByRole("main").getByRole("button", { name: "Anmelden", exact: true }).click();
  await laptop.getByText("Nur für Mitglieder").first().waitFor();
  await laptop.getByRole("button", { name: "Menü" }).click();
  await laptop.getByRole("link", { name: "Meine Ladevorgänge" }).click();
  assert.deepEqual(await axe(laptop), []);
  await laptop.getByRole("link", { name: "Ansehen und beenden" }).click();
  await laptop.getByRole("button", { name: "Laden beenden" }).click();
  await laptop.getByText("Der Ladevorgang ist beendet.").waitFor();
  assert.deepEqual(laptop.wrongs, []);
  await laptop.context().close();
  await page.getByText("Charging has ended.").waitFor();
});

test("the own sessions have their cost, and nobody sees them after logging out", async () => {
  await page.getByRole("button", { name: "Menu" }).tap();
  await page.getByRole("link", { name: "My sessions" }).tap();
  const row = page.getByRole("main").getByRole("listitem");
  await row.first().waitFor();
  assert.equal(await row.count(), 1);
  // One session at 1.50, however little it charged.
  assert.match(await row.textContent(), /Yard.*kWh.*€1\.50/s);
  assert.deepEqual(await axe(page), []);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(over, 0, "it is no wider than a phone");
  await page.getByRole("button", { name: "Menu" }).tap();
  await page.getByRole("button", { name: "Log out" }).tap();
  await page.getByText("Street").first().waitFor();
  assert.equal(await page.getByText("Yard").count(), 0);
  await page.goto(`${server.url}/map/sessions`);
  await page.getByText("You are not logged in").waitFor();
});
