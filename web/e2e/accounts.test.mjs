// How people come in: the link of the demo, the first operator, an invitation, the second factor, and what a role shows.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, afterEach, before, test } from "node:test";

import { axe, launch, open } from "./browser.mjs";
import { client } from "./seed.mjs";
import { start } from "./server.mjs";

const PASSWORD = "a good long password";
let server;
let browser;
let page;

before(async () => {
  [server, browser] = await Promise.all([start({ isNew: true }), launch()]);
  page = await open(browser);
});
after(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(() => assert.deepEqual(page.wrongs.splice(0), []));

/** The code of RFC 6238 for a secret in Base32. */
function code(secret, at = Date.now()) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const digest = createHmac("sha1", key).update(step).digest();
  return String((digest.readUInt32BE(digest[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

async function choose(to, link) {
  await to.goto(link);
  await to.getByLabel("Name").fill("Grace Hopper");
  await to.getByLabel("Password, at least 10 characters").fill(PASSWORD);
  await to.getByLabel("The same again").fill(PASSWORD);
}

test("the link of the first start asks for an address, too, and leads into the panel", async () => {
  await choose(page, server.invitation);
  await page.getByLabel("E-mail address").fill("first@example.com");
  assert.deepEqual(await axe(page), []);
  await page.getByRole("button", { name: "Save the password" }).click();
  await page.locator(".shell").waitFor();
});

test("an operator is invited on a page, accepts, and sees no more than the role shows", async () => {
  await page.goto(`${server.url}/panel/settings?tab=operators`);
  await page.getByText("first@example.com").waitFor();
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  await page.getByRole("dialog").getByLabel("E-mail address").fill("grace@example.com");
  await page.getByRole("dialog").locator("button.primary").click();
  await page.getByText(/\/panel\/invitations\//).waitFor();
  const link = /http:\/\/\S+\/panel\/invitations\/[\w-]+/.exec(await page.getByRole("dialog").textContent())?.[0];
  assert.ok(link, "the link is shown, as there is no mail server");
  const hers = await open(browser);
  await choose(hers, link);
  await hers.getByRole("button", { name: "Save the password" }).click();
  await hers.locator(".shell").waitFor();
  await hers.goto(`${server.url}/panel/locations`);
  await hers.locator("h1").waitFor();
  assert.equal(await hers.getByRole("button", { name: "Create", exact: true }).count(), 0);
  assert.equal(await hers.getByRole("link", { name: "API keys" }).count(), 0, "what she may not see is not offered");
  assert.deepEqual(hers.wrongs, []);
  await hers.context().close();
});

test("an operator of one location sees what is there, and nothing else", async () => {
  const api = client(server.url, server.key);
  const place = { address: {}, coordinates: [4.9, 52.4] };
  const here = await api("POST", "/locations", { ...place, operatorName: "Evenwatt", name: "North depot" });
  const there = await api("POST", "/locations", { ...place, operatorName: "Evenwatt", name: "South depot" });
  await api("POST", "/chargestations", { name: "Northern charger", location: here._id });
  await api("POST", "/chargestations", { name: "Southern charger", location: there._id });
  await page.goto(`${server.url}/panel/settings?tab=operators`);
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("E-mail address").fill("ada@example.com");
  await dialog.getByLabel("Role").selectOption("Operator");
  await dialog.getByRole("combobox", { name: "Locations" }).fill("North");
  await dialog.getByRole("option", { name: /North depot/ }).click();
  await dialog.locator("button.primary").click();
  await page.getByText(/\/panel\/invitations\//).waitFor();
  const link = /http:\/\/\S+\/panel\/invitations\/[\w-]+/.exec(await dialog.textContent())?.[0];
  await page.reload();
  await page.getByRole("row", { name: /ada@example.com.*North depot/ }).waitFor();
  const hers = await open(browser);
  await choose(hers, link);
  await hers.getByRole("button", { name: "Save the password" }).click();
  await hers.locator(".shell").waitFor();
  await hers.goto(`${server.url}/panel/stations`);
  await hers.getByText("Northern charger").first().waitFor();
  assert.equal(await hers.getByText("Southern charger").count(), 0);
  await hers.goto(`${server.url}/panel/locations`);
  await hers.getByText("North depot").first().waitFor();
  assert.equal(await hers.getByText("South depot").count(), 0);
  assert.equal(await hers.getByRole("button", { name: "Create", exact: true }).count(), 0, "a new place is for others");
  assert.deepEqual(await axe(hers), []);
  assert.deepEqual(hers.wrongs, []);
  await hers.context().close();
});

test("a second factor is set up on the page, and asked for", async () => {
  await page.goto(`${server.url}/panel/account`);
  await page.getByRole("button", { name: /two-step|second factor/i }).click();
  const secret = await page.locator("code").textContent();
  const picture = page.locator("img[src*='totp']");
  await picture.waitFor();
  const width = await picture.evaluate((img) => img.decode().then(() => img.naturalWidth));
  assert.ok(width > 0, "the picture is there");
  await page.locator("input[autocomplete='one-time-code']").fill(code(secret));
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.locator("code").waitFor({ state: "detached" });
  const other = await open(browser);
  await other.goto(`${server.url}/panel`);
  await other.getByLabel("E-mail address").fill("first@example.com");
  await other.getByLabel("Password").fill(PASSWORD);
  await other.getByRole("button", { name: "Log in" }).click();
  const asked = other.locator("input[autocomplete='one-time-code']");
  await asked.fill(code(secret, Date.now() + 30_000)); // that of now was used
  await other.getByRole("button", { name: "Log in" }).click();
  await other.locator(".shell").waitFor();
  await other.context().close();
});

test("a page of another server changes nothing with the cookie", async () => {
  const api = client(server.url, server.key);
  const before = (await api("GET", "/locations")).length;
  const evil = await page.context().newPage();
  await evil.goto("data:text/html,<h1>evil</h1>");
  const said = await evil.evaluate(async (url) => {
    const body = JSON.stringify({ operatorName: "Evil", address: {}, coordinates: [0, 0] });
    const send = (headers) =>
      fetch(`${url}/v1.1/locations`, { method: "POST", credentials: "include", mode: "no-cors", headers, body }).then(
        (answer) => answer.type,
        (error) => String(error),
      );
    return [await send({ "content-type": "text/plain" }), await send({ "content-type": "application/json" })];
  }, server.url);
  assert.equal((await api("GET", "/locations")).length, before, said.join());
  await evil.close();
});

test("what was done is in the audit, by whom", async () => {
  await page.goto(`${server.url}/panel/audit`);
  await page.getByRole("row", { name: /Grace Hopper.*create operator/ }).first().waitFor();
});

test("who logs out is out, also with Back", async () => {
  await page.goto(`${server.url}/panel/locations`);
  await page.locator("h1").waitFor();
  const cookies = await page.context().cookies();
  await page.evaluate(async () => {
    const { result } = await (await fetch("/v1.1/account")).json();
    await fetch("/v1.1/account/logout", { method: "POST", headers: { "X-CSRF-Token": result.csrf_token } });
  });
  await page.context().addCookies(cookies);
  await page.reload();
  await page.getByRole("button", { name: "Log in" }).waitFor();
});
