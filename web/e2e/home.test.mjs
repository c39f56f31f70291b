// The home user's portal and the driver's page on a phone, as the server serves them; with the panel's API on the other side.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";

import { axe, launch, open } from "./browser.mjs";
import { client } from "./seed.mjs";
import { start } from "./server.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
const PASSWORD = "a good long password";

let server;
let browser;
let page;

before(async () => {
  [server, browser] = await Promise.all([start(), launch()]);
  page = await open(browser, { ...PHONE, acceptDownloads: true });
});
after(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(() => assert.deepEqual(page.wrongs.splice(0), []));

test("an invitation is accepted and shows the home user's charger", async () => {
  const { pathname, search } = new URL(server.data.invitation);
  await page.goto(server.url + pathname + search);
  await page.getByLabel("Password, at least 10 characters").fill(PASSWORD);
  await page.getByLabel("The same again").fill(PASSWORD);
  await page.getByRole("button", { name: "Save the password" }).tap();
  await page.getByRole("heading", { name: "Lindenlaan 5" }).waitFor();
  assert.deepEqual(await axe(page), []);
});

test("the login survives a reload and keeps its token out of reach of scripts", async () => {
  await page.reload();
  await page.getByRole("heading", { name: "Lindenlaan 5" }).waitFor();
  const reachable = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie);
  assert.doesNotMatch(reachable, /eyJ|evenwatt_portal/);
  const [cookie] = await page.context().cookies(`${server.url}/v1.1/portal/refresh`);
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ["evenwatt_portal", true, "Strict"]);
});

test("two tabs that are opened at the same time are both logged in", async () => {
  const second = await page.context().newPage();
  await Promise.all([page.reload(), second.goto(`${server.url}/portal`)]);
  for (const tab of [page, second]) await tab.getByRole("heading", { name: "Lindenlaan 5" }).waitFor();
  await second.close();
  await page.reload();
  await page.getByRole("heading", { name: "Lindenlaan 5" }).waitFor();
});

test("a priority charge is started and stopped", async () => {
  await page.getByRole("button", { name: "Start Priority Charge" }).tap();
  await page.getByRole("button", { name: "Stop it" }).waitFor();
  const api = client(server.url, server.key);
  const [charge] = await api("GET", `/load_management/groups/${server.data.home._id}/priority_charges`);
  assert.match(charge.status, /waiting|active/);
  await page.getByRole("button", { name: "Stop it" }).tap();
  await page.getByRole("button", { name: "Start Priority Charge" }).waitFor();
});

test("exclusion times are changed here and seen by the operator, and the other way round within two seconds", async () => {
  await page.getByRole("link", { name: "Exclusion Time", exact: true }).tap();
  await page.getByRole("button", { name: "+ Add" }).tap();
  await page.getByRole("button", { name: "Save" }).tap();
  await page.getByText("Saved").waitFor();
  const api = client(server.url, server.key);
  const group = await api("GET", `/load_management/groups/${server.data.home._id}`);
  assert.equal(group.exclusion_times.windows.length, 3);
  assert.deepEqual(await axe(page), []);
  await page.getByRole("link", { name: "Home", exact: true }).tap();
  await api("PATCH", `/load_management/groups/${server.data.home._id}`, { name: "Lindenlaan five" });
  await page.getByRole("heading", { name: "Lindenlaan five" }).waitFor({ timeout: 2_500 });
});

test("what the car needs is set, and kept with its session", async () => {
  const api = client(server.url, server.key);
  // A charger of the depot with a car at it is moved to the home.
  let session;
  for (let tries = 0; tries < 120 && !session; tries++) {
    [session] = await api("GET", "/sessions?status=started");
    if (!session) await new Promise((later) => setTimeout(later, 250));
  }
  const { home, house } = server.data;
  await api("DELETE", `/load_management/groups/chargestations/${session.chargestation}`);
  await api("PATCH", `/chargestations/${session.chargestation}`, { location: house._id });
  await api("POST", `/load_management/groups/${home._id}/chargestations`, { chargestation: session.chargestation });
  await page.getByText("Energy", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Plan", exact: true }).tap();
  await page.getByLabel(/Energy need/).fill("12.5");
  const answered = page.waitForResponse((response) => response.url().endsWith("/need"));
  await page.getByRole("button", { name: "Save" }).tap();
  assert.equal((await answered).status(), 200);
  await page.getByText("Saved").first().waitFor();
  assert.equal((await api("GET", `/sessions/${session._id}`)).energy_need, 12.5);
  await page.getByRole("link", { name: "History", exact: true }).tap();
  await page.getByRole("heading", { level: 2 }).first().waitFor();
});

test("plan and history say what to do while there is nothing", async () => {
  await page.getByRole("link", { name: "Plan", exact: true }).tap();
  await page.getByText(/No plan yet|ready in time|will be missing/).waitFor();
  assert.deepEqual(await axe(page), []);
  await page.getByRole("link", { name: "History", exact: true }).tap();
  await page.locator("h2, .empty").first().waitFor();
  assert.deepEqual(await axe(page), []);
});

test("logging out ends the login", async () => {
  await page.getByRole("button", { name: "Menu" }).tap();
  await page.getByRole("button", { name: "Log out", exact: true }).tap();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
});

test("the page behind the QR code shows price and status, and refuses a card that is unknown at its field", async () => {
  await page.goto(`${server.url}/e/${server.data.evse.code}`);
  await page.getByText("Energy, per kWh").waitFor();
  const prices = await page.locator(".prices li").allTextContents();
  assert.match(prices[0], /kWh.*0\.508/);
  assert.deepEqual(await axe(page), []);
  await page.getByLabel("Number of your card").fill("NOBODY");
  await page.getByRole("button", { name: "Start charging" }).tap();
  await page.getByText("is not accepted here").waitFor();
});

test("a driver starts with a card and stops", async () => {
  const api = client(server.url, server.key);
  const evses = await api("GET", "/evses?status=Available&paginate_limit=20");
  const stations = await api("GET", "/chargestations?online=true");
  const evse = evses.find(({ chargestation }) => stations.some(({ _id }) => _id === chargestation));
  await page.goto(`${server.url}/e/${evse.code}`);
  await page.getByLabel("Number of your card").fill("04A1B2C3D4E5F6");
  await page.getByRole("button", { name: "Start charging" }).tap();
  await page.getByRole("button", { name: "Stop charging" }).waitFor({ timeout: 30_000 });
  await page.getByRole("button", { name: "Stop charging" }).tap();
  await page.getByText("Charging has ended.").waitFor({ timeout: 30_000 });
});

test("the public map filters by type and power, and an unknown code is said", async () => {
  await page.goto(`${server.url}/map`);
  await page.locator(".pin").first().waitFor();
  assert.deepEqual(await axe(page), []);
  await page.getByLabel("At least").selectOption("150");
  await page.getByText("No charger matches.").waitFor();
  await page.goto(`${server.url}/e/NOTHERE`);
  await page.getByText("There is no charger with this code").waitFor();
});
