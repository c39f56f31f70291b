// Pictures of the main pages, to be looked at: light, dark, phone. Into the folder of the first argument, or ./shots.
import { mkdirSync } from "node:fs";

import { launch, logIn, open } from "./browser.mjs";
import { client } from "./seed.mjs";
import { start } from "./server.mjs";

const FOLDER = process.argv[2] ?? "shots";
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
/** How long charts, maps and names need to appear. */
const SETTLED_MS = 1_500;
const LONG = "A station with a name of eighty characters, of which nobody can say that it is short";

mkdirSync(FOLDER, { recursive: true });
const [server, browser] = await Promise.all([start({ fast: process.argv.includes("--fast") }), launch()]);
const api = client(server.url, server.key);
const [bay] = await api("GET", "/chargestations?search=Bay%201");
await api("PATCH", `/chargestations/${bay._id}`, { name: LONG.slice(0, 80) });
const [session] = await api("GET", "/sessions?paginate_limit=1");
const [meter] = await api("GET", "/assets?type=smart_meter");
const [offer] = await api("GET", "/service_offers");

const PAGES = {
  now: "/panel",
  map: "/panel/map",
  stations: "/panel/stations",
  station: `/panel/stations/${bay._id}`,
  messages: `/panel/stations/${bay._id}?tab=messages`,
  configuration: `/panel/stations/${bay._id}?tab=configuration`,
  commands: `/panel/stations/${bay._id}?tab=commands`,
  connect: `/panel/connect/${bay._id}`,
  group: `/panel/groups/${server.data.depot._id}`,
  home: `/panel/groups/${server.data.home._id}?tab=home`,
  location: `/panel/locations/${server.data.office._id}?tab=load`,
  asset: `/panel/assets/${meter._id}`,
  session: `/panel/sessions/${session?._id}`,
  network: `/panel/networks/${server.data.network._id}`,
  offer: `/panel/offers/${offer._id}`,
  form: "/panel/stations?dialog=create",
  tokens: "/panel/tokens",
  settings: "/panel/settings",
};
const PORTAL = { portal: "/portal", exclusion: "/portal/exclusion-times", plan: "/portal/plan", history: "/portal/history" };
const DRIVER = { driver: `/e/${server.data.evse.code}`, chargers: "/map" };

async function shoot(page, name, path, fullPage = false) {
  await page.goto(server.base + path);
  await page.locator("h1").first().waitFor();
  await page.waitForTimeout(SETTLED_MS);
  await page.screenshot({ path: `${FOLDER}/${name}.png`, fullPage });
  const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (width > 0 || page.wrongs.length) console.log(name, width > 0 ? `scrolls sideways by ${width}` : "", page.wrongs.splice(0).join("; "));
}

const desk = await open(browser);
await logIn(desk, server.base);
for (const [name, path] of Object.entries(PAGES)) await shoot(desk, name, path, !["messages", "stations"].includes(name));
await desk.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
for (const name of ["now", "stations", "group", "network", "map"]) await shoot(desk, `dark-${name}`, PAGES[name]);

const phone = await open(browser, PHONE);
const { pathname, search } = new URL(server.data.invitation);
await phone.goto(server.base + pathname + search);
await phone.getByLabel("Password, at least 10 characters").fill("a good long password");
await phone.getByLabel("The same again").fill("a good long password");
await phone.screenshot({ path: `${FOLDER}/phone-invitation.png` });
await phone.getByRole("button", { name: "Save the password" }).tap();
await phone.getByRole("heading", { name: "Lindenlaan 5" }).waitFor();
for (const [name, path] of Object.entries({ ...PORTAL, ...DRIVER })) await shoot(phone, `phone-${name}`, path, true);
await phone.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
await shoot(phone, "phone-portal-dark", PORTAL.portal);
await phone.emulateMedia({ colorScheme: "light" });
await logIn(phone, server.base);
for (const name of ["now", "stations", "group", "form"]) await shoot(phone, `phone-panel-${name}`, PAGES[name]);

await browser.close();
await server.close();
