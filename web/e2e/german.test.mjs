// What does not work, on German pages: at the login, at a form, at a charger, and while the server is away.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, open } from "./browser.mjs";
import { driverPages } from "./pages.mjs";
import { OPERATOR, start } from "./server.mjs";

const WRONG = "Die E-Mail-Adresse oder das Passwort ist falsch.";
let server;
let browser;

before(async () => {
  [server, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await server?.close();
});

const german = () => open(browser, { locale: "de-DE" });

async function logIn(page, app, password) {
  await page.goto(`${server.url}${app}`);
  await page.getByLabel("E-Mail-Adresse").fill(OPERATOR.email);
  await page.getByLabel("Passwort").fill(password);
  await page.getByRole("button", { name: "Anmelden" }).click();
}

for (const app of ["/panel", "/portal"]) {
  test(`a wrong password at ${app} is said in German`, async () => {
    const page = await german();
    await logIn(page, app, "not the password");
    assert.match(await page.getByRole("alert").innerText(), new RegExp(`^${WRONG}`));
    assert.deepEqual(page.wrongs, []);
    await page.context().close();
  });
}

test("a server that is away is said in German", async () => {
  const page = await german();
  await page.goto(`${server.url}/panel`);
  await page.getByLabel("E-Mail-Adresse").fill(OPERATOR.email);
  await page.getByLabel("Passwort").fill(OPERATOR.password);
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "Anmelden" }).click();
  await page.getByRole("alert").getByText("Der Server ist nicht zu erreichen.").waitFor();
  await page.context().close();
});

test("what a form lacks is said in German at its field", async () => {
  const page = await german();
  await logIn(page, "/panel", OPERATOR.password);
  await page.locator(".shell").waitFor();
  await page.goto(`${server.url}/panel/users?dialog=create`);
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Vorname").fill("x".repeat(101));
  await dialog.locator("button.primary").click();
  await dialog.getByText("darf höchstens 100 Zeichen haben").waitFor();
  await dialog.getByText("muss angegeben werden").first().waitFor();
  const faults = await dialog.locator("p.bad").allInnerTexts();
  assert.deepEqual(faults.filter((fault) => /\b(must|is|be)\b/.test(fault)), [], "none is English");
  assert.deepEqual(page.wrongs, []);
  await page.context().close();
});

test("a card that nobody knows is said in German", async () => {
  const page = await german();
  const [path] = Object.values(driverPages(server));
  await page.goto(server.url + path);
  await page.getByLabel("Nummer Ihrer Karte").fill("NO-SUCH-CARD");
  await page.getByRole("button", { name: "Laden starten" }).click();
  await page.getByText("wird hier nicht angenommen").waitFor();
  assert.deepEqual(page.wrongs, []);
  await page.context().close();
});
