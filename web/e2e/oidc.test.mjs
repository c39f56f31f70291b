// Logging in by a provider of OpenID Connect: the button, the way there and back, and what is said to those who stay out.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { axe, launch, open } from "./browser.mjs";
import { startProvider } from "./provider.mjs";
import { client } from "./seed.mjs";
import { start } from "./server.mjs";

const GRACE = { sub: "1", email: "grace@example.com", email_verified: true, name: "Grace Hopper" };
let provider;
let server;
let browser;
let page;

before(async () => {
  provider = await startProvider();
  [server, browser] = await Promise.all([start({ isNew: true, options: provider.options }), launch()]);
  page = await open(browser);
});
after(async () => {
  await browser?.close();
  await server?.close();
  await provider?.close();
});
afterEach(() => assert.deepEqual(page.wrongs.splice(0), []));

const button = (from) => from.getByRole("link", { name: "Log in with Example & Co" });

test("somebody whom nobody invited, or whom the provider does not let in, reads why", async () => {
  await page.goto(`${server.url}/panel`);
  assert.deepEqual(await axe(page), []);
  await button(page).click();
  await page.getByRole("alert").getByText("The login provider did not log you in.").waitFor();
  provider.person = GRACE;
  await button(page).click();
  await page.getByRole("alert").getByText("Nobody has invited your e-mail address").waitFor();
  assert.deepEqual(await axe(page), []);
  await page.goto(`${server.url}/panel?login_error=<b>call+us</b>`);
  await button(page).waitFor();
  assert.equal(await page.getByRole("alert").count(), 0, "only what the pages know is shown");
});

test("the sentence is in the reader's language", async () => {
  const german = await open(browser, { locale: "de-DE" });
  await german.goto(`${server.url}/panel?login_error=oidc_not_invited`);
  await german.getByRole("alert").getByText("Niemand hat Ihre E-Mail-Adresse").waitFor();
  await german.getByRole("link", { name: "Mit Example & Co anmelden" }).waitFor();
  assert.deepEqual(german.wrongs, []);
  await german.context().close();
});

test("who was invited comes in by the button, with no password, and works there", async () => {
  const api = client(server.url, server.key);
  await api("POST", "/operators", { email: GRACE.email, role: "Admin" });
  await page.goto(`${server.url}/panel`);
  await button(page).click();
  await page.locator(".shell").waitFor();
  assert.equal(new URL(page.url()).search, "");
  await page.goto(`${server.url}/panel/settings?tab=operators`);
  await page.getByRole("row", { name: /Grace Hopper/ }).waitFor();
  await page.goto(`${server.url}/panel/audit`);
  await page.getByRole("row", { name: /Grace Hopper.*oidc/ }).first().waitFor();
  // Back leads to no page of the login that could be sent again.
  await page.goBack();
  await page.locator(".shell").waitFor();
});
