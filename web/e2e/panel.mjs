// What the tests of the panel share: a server, a browser, a page that is logged in. Anything wrong on a page fails its test.
import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";

import { launch, logIn, open } from "./browser.mjs";
import { start } from "./server.mjs";

/** Filled before the first test. */
export const it = { server: undefined, browser: undefined, page: undefined };

before(async () => {
  [it.server, it.browser] = await Promise.all([start(), launch()]);
  it.page = await open(it.browser, { acceptDownloads: true, permissions: ["clipboard-read", "clipboard-write"] });
  await logIn(it.page, it.server.url);
});
after(async () => {
  await it.browser?.close();
  await it.server?.close();
});
afterEach(() => assert.deepEqual(it.page.wrongs.splice(0), []));

export const visit = async (path) => {
  await it.page.goto(`${it.server.url}/panel${path}`);
  await it.page.locator("h1").waitFor();
};
export const button = (name) => it.page.getByRole("button", { name, exact: true });
export const dialog = () => it.page.getByRole("dialog");

/** Asks the API beside the pages. */
export async function api(path, options = {}) {
  const headers = { authorization: `Bearer ${it.server.key}`, "content-type": "application/json" };
  return (await (await fetch(`${it.server.url}/v1.1${path}`, { headers, ...options })).json()).result;
}
