// How the page of a group with hundreds of connectors and a month of history feels: `npm run many [-- --stations=500 --days=30]`
//
// A fresh server, `evenwatt simulate` beside it whose cars come and go, and history that is put into the store by `sqlite3`. Measured in
// Chromium, with its own processor and with one that is four times slower. EVENWATT_BIN should be a release build.
import { execFileSync, spawn } from "node:child_process";
import { resolve } from "node:path";

import { launch, logIn, open } from "./browser.mjs";
import { client } from "./seed.mjs";
import { start } from "./server.mjs";

const flag = (name, otherwise) => Number(process.argv.find((word) => word.startsWith(`--${name}=`))?.split("=")[1] ?? otherwise);
const STATIONS = flag("stations", 500);
const DAYS = flag("days", 30);
const RUNS = flag("runs", 3);
const HOVERS = 20;
const WATCHED_MS = 10_000;
const GROUP_KW = STATIONS * 4;
const MINUTES = 2 * 24 * 60;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const share = (values, part) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))];
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Puts means of the past beside those that balancing writes: quarters of an hour for all of it, minutes for two days. */
function writeHistory(store, group) {
  const end = Math.floor(Date.now() / 900_000) * 900;
  const rows = [];
  const add = (seconds, at) => {
    const day = Math.sin((at / 86_400) * 2 * Math.PI);
    const drawn = Math.round(GROUP_KW * 1000 * (0.5 + 0.3 * day + 0.05 * Math.sin(at / 777)));
    const granted = Math.round(Math.min(GROUP_KW * 1000, drawn * 1.1));
    const micros = `${at}000000`;
    rows.push(`('${group}',${seconds},${micros},'${group}',${seconds * 1000},${drawn},${granted},${GROUP_KW}000,${GROUP_KW}000,0,NULL)`);
  };
  for (let quarter = 1; quarter <= DAYS * 96; quarter += 1) add(900, end - quarter * 900);
  for (let minute = 1; minute <= MINUTES; minute += 1) add(60, end - minute * 60);
  const insert = `PRAGMA busy_timeout=20000; INSERT OR IGNORE INTO load_spans VALUES ${rows.join(",")};`;
  execFileSync("sqlite3", [store.slice("sqlite://".length)], { input: insert, stdio: ["pipe", "ignore", "inherit"] });
}

/** Milliseconds from the start of the navigation until the chart shows a curve, and how much came on the wire. */
async function opening(page, url) {
  const sizes = {};
  const note = async (answer) => {
    const name = /groups\/\w+\/(\w+)/.exec(answer.url())?.[1] ?? /v1\.1\/([\w/]+)/.exec(answer.url())?.[1]?.replace(/[0-9a-f]{24}/, "id");
    if (!name) return;
    const { responseBodySize } = await answer
      .request()
      .sizes()
      .catch(() => ({ responseBodySize: 0 }));
    sizes[name] = { count: (sizes[name]?.count ?? 0) + 1, bytes: responseBodySize };
  };
  page.on("response", note);
  await page.goto(url, { waitUntil: "commit" });
  const chart = await page.waitForFunction(() => document.querySelector(".chart canvas")?.width > 0 && performance.now(), undefined, {
    timeout: 180_000,
  });
  const at = await chart.jsonValue();
  const rows = await page.waitForFunction(() => document.querySelectorAll("td.why").length > 5 && performance.now(), undefined, {
    timeout: 180_000,
  });
  const rowsAt = await rows.jsonValue();
  await wait(3_000);
  page.off("response", note);
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  return { at, rowsAt, nodes, sizes };
}

/** Milliseconds from a move of the pointer until what it changed is painted, and until a moment of the past is explained. */
async function hovering(page) {
  const box = await page.locator(".u-over").boundingBox();
  await page.evaluate(() => {
    window.hovers = [];
    document.querySelector(".u-over").addEventListener("mousemove", () => {
      const began = performance.now();
      requestAnimationFrame(() => setTimeout(() => window.hovers.push(performance.now() - began)));
    });
  });
  for (let step = 0; step < HOVERS; step += 1) {
    await page.mouse.move(box.x + (box.width * (step + 1)) / (HOVERS + 2) / 1.2, box.y + box.height / 2);
    await page.waitForTimeout(80);
  }
  const hovers = await page.evaluate(() => window.hovers);
  await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 3);
  const began = Date.now();
  // The newest minutes have plans; older ones may be gone.
  const explained = page.locator("section.card", { has: page.locator("header > button", { hasText: "now" }) });
  await explained.waitFor({ timeout: 60_000 });
  await page.waitForFunction(() => document.querySelectorAll("section.card header button").length > 0);
  const explainedMs = Date.now() - began;
  await page.mouse.move(box.x - 50, box.y - 50);
  return { hover: median(hovers), worst: Math.max(...hovers), explained: explainedMs };
}

/** The times between frames, and what took longer than 50 ms, while live values come. */
function watching(page) {
  return page.evaluate(
    (ms) =>
      new Promise((found) => {
        const frames = [];
        let blocked = 0;
        const observer = new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (blocked += duration)));
        observer.observe({ type: "longtask" });
        let last = performance.now();
        const end = last + ms;
        const frame = (now) => {
          frames.push(now - last);
          last = now;
          if (now < end) return requestAnimationFrame(frame);
          observer.disconnect();
          found({ frames, blocked });
        };
        requestAnimationFrame((now) => ((last = now), requestAnimationFrame(frame)));
      }),
    WATCHED_MS,
  );
}

const options = { EVENWATT_HTTP_RATE_PER_SECOND: "5000", EVENWATT_HTTP_RATE_BURST: "50000" };
const [server, browser] = await Promise.all([start({ isEmpty: true, options }), launch()]);
const words = ["simulate", "--api", server.url, "--api-key", server.key, "--stations", STATIONS, "--group-kw", GROUP_KW];
const rhythm = ["--seconds", 3_600, "--meter-interval", 10_000, "--connect-rate", 50, "--scale", 30];
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("EVENWATT_")));
const simulator = spawn(resolve(process.env.EVENWATT_BIN ?? "../target/release/evenwatt"), [...words, ...rhythm].map(String), {
  env,
  stdio: "ignore",
});
process.once("exit", () => simulator.kill("SIGKILL"));

try {
  const api = client(server.url, server.key);
  let group;
  for (;;) {
    [group] = await api("GET", "/load_management/groups");
    const running = group ? await api("GET", `/chargestations?online=true&paginate_limit=1000`) : [];
    if (running.length >= STATIONS) break;
    await wait(2_000);
  }
  writeHistory(server.store, group._id);
  await wait(20_000);

  const sizes = {};
  console.log(`${STATIONS} connectors, ${DAYS} days of history; milliseconds, the median of ${RUNS} runs`);
  console.log("processor  span     chart  rows   hover (worst)   explained  frames p50/p95/max   blocked in 10 s  elements");
  for (const rate of [1, 4]) {
    const page = await open(browser);
    page.setDefaultTimeout(120_000);
    await logIn(page, server.url);
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate });
    for (const hours of [1, 24 * DAYS]) {
      const opened = [];
      for (let run = 0; run < RUNS; run += 1) opened.push(await opening(page, `${server.url}/panel/groups/${group._id}?hours=${hours}`));
      Object.assign(sizes, Object.fromEntries(Object.entries(opened[0].sizes).map(([name, size]) => [`${hours} h: ${name}`, size])));
      const live = await watching(page);
      const hover = hours === 1 ? await hovering(page) : { hover: NaN, worst: NaN, explained: NaN };
      const round = (value) => (Number.isNaN(value) ? "–" : String(Math.round(value)));
      const of = (key) => round(median(opened.map((one) => one[key])));
      console.log(
        `${rate} times`.padEnd(11) + `${hours} h`.padEnd(9) + of("at").padEnd(7) + of("rowsAt").padEnd(7),
        `${round(hover.hover)} (${round(hover.worst)})`.padEnd(16) + round(hover.explained).padEnd(11),
        `${round(median(live.frames))}/${round(share(live.frames, 0.95))}/${round(Math.max(...live.frames))}`.padEnd(21) +
          round(live.blocked).padEnd(17) +
          of("nodes"),
      );
      if (page.wrongs.length) console.log(page.wrongs.splice(0).join("\n"));
    }
    await page.context().close();
  }
  console.log("\nanswers of one opening: requests, bytes of the last one");
  for (const [name, { count, bytes }] of Object.entries(sizes)) console.log(name.padEnd(40), String(count).padEnd(6), bytes);
} finally {
  simulator.kill("SIGTERM");
  await browser.close();
  await server.close();
}
