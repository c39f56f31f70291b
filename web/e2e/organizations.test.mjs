// What an organization shows of itself, and the organizations of an installation: a logo, whom to ask, a new one, going there.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { axe, launch, open } from "./browser.mjs";
import { LOGO } from "./seed.mjs";
import { start } from "./server.mjs";

const PASSWORD = "a good long password";
const PNG = { name: "logo.png", mimeType: "image/png", buffer: LOGO };
let server;
let browser;
let page;

before(async () => {
  [server, browser] = await Promise.all([start({ isNew: true }), launch()]);
  page = await open(browser);
  await page.goto(server.invitation);
  await page.getByLabel("Name").fill("First");
  await page.getByLabel("E-mail address").fill("first@example.com");
  await page.getByLabel("Password, at least 10 characters").fill(PASSWORD);
  await page.getByLabel("The same again").fill(PASSWORD);
  await page.getByRole("button", { name: "Save the password" }).click();
  await page.locator(".shell").waitFor();
});
after(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(() => assert.deepEqual(page.wrongs.splice(0), []));

const isDrawn = (picture) => picture.evaluate(async (img) => img.decode().then(() => img.naturalWidth > 0));

test("a logo is chosen, seen before it is saved, and then heads the panel", async () => {
  await page.goto(`${server.url}/panel/settings`);
  await page.locator("input[type=file]").setInputFiles({ ...PNG, buffer: Buffer.from("<svg onload=alert(1)>") });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("alert").getByText("PNG, JPEG or WebP").waitFor();
  await page.locator("input[type=file]").setInputFiles(PNG);
  assert.ok(await isDrawn(page.getByAltText("The picture that you chose")), "the preview is there");
  assert.equal(await page.locator("aside .brand img").count(), 0, "nothing is saved yet");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const head = page.locator("aside .brand img");
  await head.waitFor();
  assert.ok(await isDrawn(head), "it heads the panel");
  assert.deepEqual(await axe(page), []);
  // Whoever is not logged in sees it above the form, as there is one organization.
  const other = await open(browser);
  await other.goto(`${server.url}/panel`);
  await other.locator(".brand img").waitFor();
  assert.deepEqual(other.wrongs, []);
  await other.context().close();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await head.waitFor({ state: "detached" });
});

test("whom to ask and where it is are edited with the name", async () => {
  await page.getByRole("button", { name: "Update", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Harbour Charging");
  await dialog.getByLabel("Telephone for help").fill("+31 20 1234567");
  await dialog.getByLabel("Page for help").fill("javascript:alert(1)");
  await dialog.getByLabel("City").fill("Amsterdam");
  await dialog.locator("button.primary").click();
  await dialog.getByText("must be a URL").waitFor();
  await dialog.getByLabel("Page for help").fill("https://www.example.com/help");
  await dialog.locator("button.primary").click();
  await dialog.waitFor({ state: "detached" });
  await page.locator("aside").getByText("Harbour Charging").waitFor();
  await page.getByText("+31 20 1234567").waitFor();
});

test("another organization is made, and the panel goes there and back", async () => {
  await page.getByRole("link", { name: "Organizations" }).click();
  await page.getByRole("button", { name: "Create", exact: true }).first().click();
  await page.getByRole("dialog").getByLabel("Name").fill("Airport");
  await page.getByRole("dialog").locator("button.primary").click();
  await page.waitForURL(/\/panel\/settings/);
  const choice = page.locator("aside .organization select");
  assert.equal(await choice.locator("option:checked").textContent(), "Airport");
  await page.getByRole("link", { name: "Organizations" }).click();
  await page.getByRole("row", { name: /Airport.*here/ }).waitFor();
  assert.deepEqual(await axe(page), []);
  await page.getByRole("row", { name: /Harbour/ }).getByRole("button", { name: "Switch to it" }).click();
  await page.waitForURL(/\/panel\/settings/);
  assert.equal(await choice.locator("option:checked").textContent(), "Harbour Charging");
});
