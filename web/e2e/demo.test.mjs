// What README promises: the link that the demo prints opens the panel, logged in, at its eight bays. The picture there is made here.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { test } from "node:test";

import { launch, open } from "./browser.mjs";
import { start } from "./server.mjs";

/** Where the picture is kept; docs/panel.png is a copy. */
const FOLDER = "shots";
/** So many cars share in the picture: 30 kW is less than they could take. */
const CARS = 6;
const PATIENCE_MS = 180_000;

test("the link of the demo opens the panel at its eight bays, logged in, once", async () => {
  const [server, browser] = await Promise.all([start({ isDemo: true, fast: true }), launch()]);
  try {
    const page = await open(browser, { viewport: { width: 1440, height: 1400 } });
    await page.goto(server.panel);
    await page.getByRole("heading", { level: 1, name: "Depot" }).waitFor();
    for (let bay = 1; bay <= 8; bay += 1) await page.getByText(`Bay ${bay}`).first().waitFor();
    const isShared = (cars) => document.body.innerText.split("Its share of").length > cars && document.body.innerText.includes("settled");
    await page.waitForFunction(isShared, CARS, { timeout: PATIENCE_MS });
    mkdirSync(FOLDER, { recursive: true });
    await page.screenshot({ path: `${FOLDER}/panel.png` });

    await page.goto(`${new URL(server.panel).origin}/panel/settings?tab=operators`);
    const operator = page.getByRole("row", { name: "Demo operator" });
    await operator.waitFor();
    assert.match(await operator.innerText(), /active/, "who has logged in is not invited any more");
    assert.deepEqual(page.wrongs, []);

    const other = await open(browser);
    await other.goto(server.panel);
    assert.match(await other.locator("body").innerText(), /was used/, "it works once");
  } finally {
    await browser.close();
    await server.close();
  }
});
