// What the portal's page does: reads which link of a letter was opened, and asks the API of the portal. Tokens stay in memory.
"use strict";

const API = "/v1.1/portal";
const [, , purpose, secret] = location.pathname.split("/");
const organization = new URLSearchParams(location.search).get("organization");
const at = (id) => document.getElementById(id);
let tokens;

const say = (text) => { at("said").textContent = text; };
const show = (...ids) => {
  for (const id of ["choose", "login", "inside"]) at(id).hidden = !ids.includes(id);
};

async function ask(method, path, body) {
  const headers = { "content-type": "application/json" };
  if (tokens) headers.authorization = `Bearer ${tokens.access_token}`;
  const answer = await fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
  const read = await answer.json();
  if (answer.ok) return read.result;
  throw new Error(read.message);
}

/** Runs a step of the page, one at a time, and says what went wrong. */
async function step(work) {
  const buttons = document.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  say("");
  try {
    await work();
  } catch (error) {
    say(error instanceof TypeError ? "The server cannot be reached; try again." : error.message);
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

function line(text, parent) {
  const made = document.createElement("p");
  made.textContent = text;
  parent.append(made);
}

function shown(group) {
  const item = document.createElement("li");
  line(group.name, item);
  for (const station of group.chargestations) {
    const states = station.connectors.map((connector) => connector.status).join(", ");
    line(`${station.name ?? "Charger"}: ${station.online ? `connected, ${states}` : "not connected"}`, item);
  }
  if (group.priority_charge) line("A priority charge is running.", item);
  else if (group.excluded_now) line("It does not charge now: these are its exclusion times.", item);
  const hasCharge = Boolean(group.priority_charge);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = hasCharge ? "End the priority charge" : "Charge now, at full power";
  const path = `/groups/${group._id}/priority_charge`;
  button.addEventListener("click", () => step(async () => {
    await ask(hasCharge ? "DELETE" : "POST", path, hasCharge ? undefined : {});
    await enter();
  }));
  item.append(button);
  return item;
}

async function enter() {
  const groups = await ask("GET", "/groups");
  at("groups").replaceChildren(...groups.map(shown));
  if (!groups.length) say("You are logged in. No charger is in your account yet.");
  show("inside");
}

at("choose").addEventListener("submit", (event) => {
  event.preventDefault();
  step(async () => {
    const password = at("password").value;
    if (password !== at("again").value) throw new Error("The two passwords are not the same.");
    const path = purpose === "invitations" ? `/invitations/${secret}/accept` : `/password_reset/${secret}`;
    tokens = await ask("POST", path, { password });
    history.replaceState(null, "", `/portal/${location.search}`);
    await enter();
  });
});

at("login").addEventListener("submit", (event) => {
  event.preventDefault();
  step(async () => {
    const body = { email: at("email").value, password: at("known").value };
    tokens = await ask("POST", "/login", organization ? { ...body, organization } : body);
    await enter();
  });
});

at("forgotten").addEventListener("click", () => step(async () => {
  if (!at("email").reportValidity()) return;
  const body = { email: at("email").value };
  await ask("POST", "/password_reset", organization ? { ...body, organization } : body);
  say("If we know this address, a letter with a link is on its way.");
}));

at("leave").addEventListener("click", () => step(async () => {
  await ask("POST", "/logout");
  tokens = undefined;
  show("login");
}));

if (secret && purpose === "invitations") {
  at("why").textContent = "You were invited. Choose a password; the link then works no more.";
  show("choose");
} else if (secret && purpose === "password_reset") {
  at("why").textContent = "Choose another password. All devices are logged out.";
  show("choose");
} else {
  show("login");
}
