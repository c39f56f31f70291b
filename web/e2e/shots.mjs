// Pictures of every page, to be looked at: desktop, phone, dark. `node e2e/shots.mjs [folder] [--only=name,…] [--as=desktop,phone,dark] [--fast]`
import { mkdirSync } from "node:fs";

import { launch, logIn, open } from "./browser.mjs";
import { driverPages, enterPortal, panelPages, PHONE, PORTAL_PAGES } from "./pages.mjs";
import { client } from "./seed.mjs";
import { start } from "./server.mjs";

const flag = (name) => process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
const FOLDER = process.argv[2]?.startsWith("--") ? "shots" : (process.argv[2] ?? "shots");
const ONLY = flag("only")?.split(",");
const LOOKS = {
  desktop: {},
  phone: PHONE,
  dark: { colorScheme: "dark" },
};
/** How long charts, maps and names need to appear. */
const SETTLED_MS = 1_200;
const LONG = "A station with a name of eighty characters, of which nobody can say that it is short";

mkdirSync(FOLDER, { recursive: true });
const [server, browser] = await Promise.all([start({ fast: process.argv.includes("--fast") }), launch()]);
const api = client(server.url, server.key);
const [bay] = await api("GET", "/chargestations?search=Bay%201");
const panel = Object.fromEntries(Object.entries(await panelPages(server)).map(([name, path]) => [name, `/panel${path}`]));
await api("PATCH", `/chargestations/${bay._id}`, { name: LONG.slice(0, 80) });

async function shoot(page, name, path) {
  if (ONLY && !ONLY.some((word) => name.replace(/^\w+_/, "").startsWith(word))) return;
  await page.goto(server.url + path);
  await page.locator("h1").first().waitFor();
  await page.waitForTimeout(SETTLED_MS);
  await page.screenshot({ path: `${FOLDER}/${name}.png`, fullPage: true });
  const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (width > 0 || page.wrongs.length) console.log(name, width > 0 ? `scrolls sideways by ${width}` : "", page.wrongs.splice(0).join("; "));
}

for (const look of (flag("as") ?? "desktop,phone,dark").split(",")) {
  const page = await open(browser, LOOKS[look]);
  const shootAll = async (pages) => {
    for (const [name, path] of Object.entries(pages)) await shoot(page, `${look}_${name}`, path);
  };
  await shoot(page, `${look}_login`, "/panel");
  await shoot(page, `${look}_portal-login`, "/portal");
  await shootAll(driverPages(server));
  await logIn(page, server.url);
  await shootAll(panel);
  await enterPortal(page, server);
  await shootAll(PORTAL_PAGES);
  await page.context().close();
}

await browser.close();
await server.close();
