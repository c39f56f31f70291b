// When the first paint of each app is, on a slow phone and without a slow line, which is what to compare it with: `npm run paint`
//
// The phone has 1.6 Mbit/s, a round trip of 150 ms, and a processor that is four times slower. Nothing is in the browser's cache. EVENWATT_BIN should be a release build.
import { launch, logIn, open } from "./browser.mjs";
import { driverPages, enterPortal, PHONE } from "./pages.mjs";
import { start } from "./server.mjs";

const RUNS = 5;
const SLOW = { latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 };
const QUICK = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Milliseconds to the first contentful paint and kilobytes on the wire, once. */
async function paint(page, url, isSlow) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  await session.send("Network.emulateNetworkConditions", { offline: false, ...(isSlow ? SLOW : QUICK) });
  await session.send("Emulation.setCPUThrottlingRate", { rate: isSlow ? 4 : 1 });
  let bytes = 0;
  session.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.goto(url, { waitUntil: "load" });
  await page.locator("h1").first().waitFor({ timeout: 30_000 });
  const at = await page.evaluate(
    () =>
      new Promise((found) => {
        const seen = (entries) => entries.find(({ name }) => name === "first-contentful-paint")?.startTime;
        const at = seen(performance.getEntriesByType("paint"));
        if (at) found(at);
        else new PerformanceObserver((list) => seen(list.getEntries()) && found(seen(list.getEntries()))).observe({ type: "paint", buffered: true });
      }),
  );
  const heading = await page.evaluate(() => performance.now());
  await session.detach();
  return { at, heading, bytes: bytes / 1_000 };
}

const [server, browser] = await Promise.all([start(), launch()]);
const phone = await open(browser, PHONE);
await logIn(phone, server.url);
const portal = await open(browser, PHONE);
await enterPortal(portal, server);
const [name, path] = Object.entries(driverPages(server))[0];
const apps = [
  ["panel, log in", await open(browser, PHONE), "/panel"],
  ["panel, Now", phone, "/panel"],
  ["panel, stations", phone, "/panel/stations"],
  ["portal, home", portal, "/portal"],
  [`driver, ${name}`, await open(browser, PHONE), path],
];
console.log("page                  slow phone: paint, heading (ms)    here: paint, heading (ms)    kB");
for (const [what, page, path] of apps) {
  const of = async (isSlow) => {
    const all = [];
    for (let run = 0; run < RUNS; run += 1) all.push(await paint(page, server.url + path, isSlow));
    return Object.fromEntries(["at", "heading", "bytes"].map((key) => [key, Math.round(median(all.map((one) => one[key])))]));
  };
  const [slow, here] = [await of(true), await of(false)];
  console.log(what.padEnd(22), `${slow.at}, ${slow.heading}`.padEnd(36), `${here.at}, ${here.heading}`.padEnd(28), slow.bytes);
}
await browser.close();
await server.close();
