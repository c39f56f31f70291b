// The flows of the panel, end to end: groups, locations, assets, networks, offers, rates, tokens, the wizard, connecting a charger.
import assert from "node:assert/strict";
import { test } from "node:test";

import { api, button, dialog, it, visit } from "./panel.mjs";

test("the group shows its chart, why each limit is what it is, and explains a moment", async () => {
  await visit(`/groups/${it.server.data.depot._id}`);
  await it.page.locator(".uplot canvas").waitFor();
  const reasons = it.page.locator("td.why");
  await reasons.first().waitFor();
  for (const reason of await reasons.allInnerTexts()) assert.match(reason, /^[A-Z](?!.*[0-9a-f]{24}).{10,}\.$/s, "a sentence without ids");
  await it.page.waitForTimeout(3_000);
  await it.page.evaluate(() => {
    const at = new Date(Date.now() - 2_000).toISOString();
    history.pushState(null, "", `${location.pathname}?at=${at}`);
    dispatchEvent(new PopStateEvent("popstate"));
  });
  await it.page.getByText(/^Why, at/).waitFor();
  await it.page.getByText(/trigger:/).waitFor();
  await button("Back to now").click();
  await it.page.getByText(/^Why, at/).waitFor({ state: "detached" });
});

test("what-if plans another capacity beside the present one", async () => {
  await visit(`/groups/${it.server.data.depot._id}?tab=what-if`);
  await it.page.getByLabel("Maximum capacity").first().fill("60");
  await button("Plan it").click();
  await it.page.getByRole("region", { name: "Outcome" }).waitFor();
});

test("the location's load-management tab creates a group, adds, updates and removes a station", async () => {
  await visit(`/locations/${it.server.data.office._id}?tab=load`);
  await button("Create").click();
  await dialog().getByLabel("Name").fill("East side");
  await dialog().getByLabel("Maximum capacity").fill("22");
  await button("Save").click();
  await it.page.locator("summary", { hasText: "East side" }).click();
  const group = it.page.locator("details[open]");
  await group.getByRole("button", { name: "+ Add Chargestation" }).click();
  await dialog().getByRole("combobox").fill("right");
  await it.page.getByRole("option", { name: /right of the lift/ }).click();
  await dialog().getByRole("button", { name: "Save" }).click();
  await it.page.getByRole("link", { name: /right of the lift/ }).waitFor();
  await group.getByRole("button", { name: "Update", exact: true }).click();
  await dialog().getByLabel("Maximum capacity").first().fill("8");
  await dialog().getByRole("button", { name: "Save" }).click();
  await it.page.getByText("8.0 kW").waitFor();
  await group.getByRole("button", { name: "Remove", exact: true }).click();
  await dialog().getByRole("button", { name: "Remove" }).click();
  await it.page.getByRole("link", { name: /right of the lift/ }).waitFor({ state: "detached" });
});

test("one field of an address is changed and the others stay", async () => {
  const id = it.server.data.office._id;
  await visit(`/locations/${id}?dialog=update`);
  await dialog().getByLabel("Postal code").fill("1082 PP");
  await button("Save").click();
  await dialog().waitFor({ state: "detached" });
  const { address } = await api(`/locations/${id}`);
  assert.deepEqual([address.postalCode, address.city, address.country], ["1082 PP", "Amsterdam", "NL"]);
});

test("an asset is created and its reading shows what it gives", async () => {
  await visit("/assets");
  await button("Create").click();
  await dialog().getByLabel("Name").fill("East roof");
  await dialog()
    .getByLabel(/^Type ?\*$/)
    .selectOption("producer");
  await dialog().getByLabel("Location").fill("Office");
  await it.page.getByRole("option", { name: "Office Zuidas" }).click();
  await button("Save").click();
  await it.page.getByRole("heading", { name: "East roof", exact: true }).waitFor();
  await button("Enter a reading").click();
  await dialog()
    .getByLabel(/^Power ?\*$/)
    .fill("3.5");
  await button("Save").click();
  await it.page.getByText("gives 3.5 kW").waitFor();
});

test("EVSEs are assigned several at once on the split screen", async () => {
  await visit(`/networks/${it.server.data.network._id}`);
  const unassigned = it.page.getByRole("region", { name: "Unassigned EVSEs" });
  await unassigned.getByRole("checkbox").nth(1).check();
  await unassigned.getByRole("checkbox").nth(2).check();
  await unassigned.getByRole("button", { name: "Assign EVSEs (2)" }).click();
  await dialog().getByRole("combobox").selectOption({ label: "AC fast" });
  await dialog().getByRole("button", { name: "Assign EVSEs" }).click();
  await it.page.getByRole("link", { name: "AC fast 2" }).waitFor();
});

test("an offer says what is wrong before it is published, and which EVSEs will cost nothing", async () => {
  const [offer] = await api("/service_offers");
  await visit(`/offers/${offer._id}`);
  await it.page.getByText("Night").first().waitFor();
  await button("Publish").click();
  await dialog().locator(".notice").first().waitFor();
  await it.page.keyboard.press("Escape");
  await it.page.getByRole("link", { name: "Price of each EVSE" }).click();
  await it.page.getByText("NL*EWT*E0001").waitFor();
});

test("a rate is made of rows, and the fault of a row stands in the row", async () => {
  await visit("/rates");
  await button("Create").click();
  await dialog().getByLabel("Name").fill("Weekend");
  await button("Save").click();
  await dialog().locator("td .bad").first().waitFor();
  await dialog().getByLabel("Price", { exact: true }).fill("0.35");
  await button("Save").click();
  await dialog().waitFor({ state: "detached" });
  await it.page.getByText("Weekend", { exact: true }).waitFor();
  await it.page
    .getByRole("row", { name: /Weekend/ })
    .getByRole("button", { name: "Preview" })
    .click();
  await dialog().getByText("€10.50").first().waitFor();
});

test("tokens are imported from a CSV, and each row says how it went", async () => {
  await visit("/tokens?dialog=import");
  const csv = "physicalId;type;status\r\n04C0FFEE;ISO14443;active\r\n04A1B2C3D4E5F6;ISO14443;active\r\n";
  await dialog()
    .getByLabel("File")
    .setInputFiles({ name: "cards.csv", mimeType: "text/csv", buffer: Buffer.from(csv) });
  await button("Import 2 rows").click();
  await dialog().getByText("1 of 2 created, 1 refused").waitFor();
});

test("an API key is shown once", async () => {
  await visit("/api-keys");
  await button("Create").click();
  await dialog().getByLabel("Name").fill("Reports");
  await button("Save").click();
  await dialog()
    .getByText(/^ew_live_/)
    .waitFor();
  await button("I have noted it").click();
  await it.page.getByRole("row", { name: /Reports/ }).waitFor();
  assert.equal(await it.page.getByText(/^ew_live_\w{20,}/).count(), 0);
});

test("the wizard makes a home user's group: algorithm, user by autocomplete, station", async () => {
  await visit("/groups/new");
  await it.page.getByLabel("Name").fill("Wizard house");
  await it.page.getByLabel("Location").fill("House");
  await it.page.getByRole("option", { name: "House Lindenlaan" }).click();
  await it.page.getByLabel("Maximum capacity").fill("11");
  await button("Next").click();
  await it.page.getByRole("combobox").fill("home@");
  await it.page.getByRole("option", { name: "home@example.com" }).click();
  await button("Next").click();
  await button("Save").click();
  await it.page.getByRole("heading", { name: "Wizard house" }).waitFor();
  await it.page.locator("header a", { hasText: /home@example.com|Home User/ }).waitFor();
});

test("a charger is connected: it is heard, and obeys a test limit", async () => {
  await visit("/stations?q=Bay%206");
  await it.page.getByRole("link", { name: "Bay 6" }).click();
  await it.page.waitForURL(/stations\/[0-9a-f]{24}/);
  await visit(`/connect/${/[0-9a-f]{24}/.exec(it.page.url())[0]}`);
  await it.page.getByText("It is connected", { exact: true }).waitFor();
  await button("Test a limit").click();
  await it.page.getByText(/^(Proven|Not proven)\.$/).waitFor({ timeout: 40_000 });
});

test("what was typed on a page and not sent is there again after Back", async () => {
  const { depot, network } = it.server.data;
  await visit(`/groups/${depot._id}?tab=what-if`);
  await it.page.getByLabel("Maximum capacity").first().fill("77");
  await it.page.getByRole("link", { name: "EVSE networks" }).click();
  await it.page.getByRole("heading", { name: "EVSE networks" }).waitFor();
  await it.page.goBack();
  assert.equal(await it.page.getByLabel("Maximum capacity").first().inputValue(), "77");
  const [offer] = await api(`/service_offers?network=${network._id}&status=draft`);
  await visit(`/offers/${offer._id}`);
  await it.page.getByLabel("Name").first().fill("Day, typed");
  await it.page.getByRole("link", { name: "Price of each EVSE" }).click();
  await it.page.goBack();
  assert.equal(await it.page.getByLabel("Name").first().inputValue(), "Day, typed");
});
