// Starts the real server, with the pages in it, with simulated chargers on a scratch database, and an operator who may do everything.
// The database is SQLite's, or one in the PostgreSQL server at TEST_POSTGRES_URL (scripts/with-postgres).
import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createServer } from "node:net";

import { client, seed } from "./seed.mjs";

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

/** The address of a database that is new. */
function newStore(folder) {
  const { TEST_POSTGRES_URL: server } = process.env;
  if (!server) return `sqlite://${join(folder, "evenwatt.db")}`;
  const name = `web_${randomUUID().replaceAll("-", "")}`;
  execFileSync("createdb", [`--maintenance-db=${server}`, name]);
  return Object.assign(new URL(server), { pathname: `/${name}` }).href;
}

/** The server's API key, and the link for its first operator or the one that logs in, from what it prints when it starts. */
function greetingOf(child) {
  return new Promise((found, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error(`The server did not start: ${said}`)), STARTED_MS);
    const read = (piece) => {
      said += piece;
      const key = /ew_(live|test)_\w+/.exec(said)?.[0];
      if (!key || !said.includes("curl")) return;
      clearTimeout(timer);
      found({
        key,
        invitation: /\S+\/panel\/invitations\/\S+/.exec(said)?.[0],
        panel: /\S+\/account\/login\/\S+/.exec(said)?.[0],
      });
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", () => reject(new Error(`The server ended: ${said}`)));
  });
}

/** Who logs in at the panel. */
export const OPERATOR = { email: "operator@example.com", password: "correct horse battery", name: "Operator" };

/** Invites the operator, who accepts. */
async function operator(url, key) {
  const { email, name, password } = OPERATOR;
  const { invitation_url } = await client(url, key)("POST", "/operators", { email, role: "Admin" });
  const accept = `${url}/v1.1/account/invitations/${invitation_url.split("/").pop()}/accept`;
  const headers = { "content-type": "application/json" };
  const answer = await fetch(accept, { method: "POST", headers, body: JSON.stringify({ name, password }) });
  if (!answer.ok) throw new Error(`The invitation was refused: ${await answer.text()}`);
}

/** Makes the operator administer the installation: what the command line does, beside the running server. */
function administer(folder, env) {
  execFileSync(resolve(BINARY), ["operator", "installation-admin", OPERATOR.email], { cwd: folder, env, stdio: "pipe" });
}

/**
 * A server with eight bays, seeded or as the demo has it, or an empty one, or one at which nobody was invited yet; `close` ends all of it.
 * `options` are variables of its configuration.
 */
export async function start({ fast = false, isNew = false, isEmpty = isNew, isDemo = false, options = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "evenwatt-web-"));
  const port = await freePort();
  const store = newStore(folder);
  const demo = ["demo", "--keep", store, "--mixed", ...(fast ? ["--fast"] : [])];
  // A server keeps its data where it is started, and refuses variables that are ours.
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("EVENWATT_"));
  const env = { ...Object.fromEntries(others), DATABASE_URL: store, ...options };
  const child = spawn(resolve(BINARY), [...(isEmpty ? ["serve"] : demo), "--listen", `127.0.0.1:${port}`], { cwd: folder, env });
  const { key, invitation, panel } = await greetingOf(child).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  child.stdout.resume();
  child.stderr.resume();
  // A test run that is killed leaves no server behind.
  process.once("exit", () => child.kill("SIGKILL"));
  const url = `http://127.0.0.1:${port}`;
  const close = async () => {
    child.kill("SIGTERM");
    await new Promise((ended) => child.once("exit", ended));
    rmSync(folder, { recursive: true, force: true });
  };
  const invited = async () => {
    await operator(url, key);
    administer(folder, env);
  };
  const prepared = (isNew || isDemo ? Promise.resolve() : invited()).then(() => (isEmpty || isDemo ? {} : seed(url, key)));
  const data = await prepared.catch(async (error) => {
    await close();
    throw error;
  });
  return { url, key, invitation, panel, data, store, close };
}
