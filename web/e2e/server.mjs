// Starts the real server with simulated chargers on a scratch database, and the pages in front of it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createServer } from "node:net";

import { serve } from "../dev/serve.mjs";
import { seed } from "./seed.mjs";

/** The server's binary: EVENWATT_BIN, else what cargo built. */
const BINARY = process.env.EVENWATT_BIN ?? "../target/release/evenwatt";
const STARTED_MS = 120_000;

function freePort() {
  return new Promise((found) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}

/** The server's API key, from what it prints when it starts. */
function keyOf(child) {
  return new Promise((found, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error(`The server did not start: ${said}`)), STARTED_MS);
    const read = (piece) => {
      said += piece;
      const key = /ew_(live|test)_\w+/.exec(said)?.[0];
      if (!key) return;
      clearTimeout(timer);
      found(key);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", () => reject(new Error(`The server ended: ${said}`)));
  });
}

/** A server with eight bays, seeded, or one that nobody used yet; `close` ends all of it. */
export async function start({ fast = false, isEmpty = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "evenwatt-web-"));
  const port = await freePort();
  const demo = ["demo", "--keep", join(folder, "demo.db"), "--mixed", ...(fast ? ["--fast"] : [])];
  // A server keeps its data where it is started, and refuses variables that are ours.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("EVENWATT_")));
  const child = spawn(resolve(BINARY), [...(isEmpty ? ["serve"] : demo), "--listen", `127.0.0.1:${port}`], { cwd: folder, env });
  const key = await keyOf(child).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  child.stdout.resume();
  child.stderr.resume();
  // A test run that is killed leaves no server behind.
  process.once("exit", () => child.kill("SIGKILL"));
  const url = `http://127.0.0.1:${port}`;
  process.env.EVENWATT_URL = url;
  process.env.EVENWATT_API_KEY = key;
  const pages = await serve();
  const close = async () => {
    pages.closeAllConnections();
    pages.close();
    child.kill("SIGTERM");
    await new Promise((ended) => child.once("exit", ended));
    rmSync(folder, { recursive: true, force: true });
  };
  const data = await (isEmpty ? Promise.resolve({}) : seed(url, key)).catch(async (error) => {
    await close();
    throw error;
  });
  return { base: `http://127.0.0.1:${pages.address().port}`, url, key, data, close };
}
