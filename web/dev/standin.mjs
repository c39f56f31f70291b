// Stands in for the endpoints of API-NEEDED.md until the server has them: accounts, the driver's page.
// Only for development and tests. Everything it shows of chargers, sessions and prices it asks the real API for.
import { randomBytes } from "node:crypto";

import { driver } from "./standin-driver.mjs";
import { target } from "./api.mjs";

const EMAIL = process.env.EVENWATT_OPERATOR_EMAIL ?? "operator@example.com";
const PASSWORD = process.env.EVENWATT_OPERATOR_PASSWORD ?? "correct horse battery";

const operator = { _id: "0".repeat(23) + "1", email: EMAIL, name: "Operator", language: null, role: "Admin", totp: false };
/** Sessions by their cookie. */
const sessions = new Map();
/** Every change that passed through here, newest first. */
const audit = [];

export const ok = (response, result, status = 200, headers = {}, pages = {}) => {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers });
  response.end(JSON.stringify({ ok: true, message: "Found", result, ...pages }));
};

export const refuse = (response, status, code, message, errors = []) => {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ ok: false, message, result: null, code, errors, request_id: "" }));
};

export async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return pieces.length ? Buffer.concat(pieces).toString() : "";
}

/** Asks the real API with the key. */
export async function real(path, options = {}) {
  const headers = { authorization: `Bearer ${process.env.EVENWATT_API_KEY ?? ""}`, "content-type": "application/json" };
  const answer = await fetch(new URL(path, target()), { headers, ...options });
  return { status: answer.status, body: await answer.json() };
}

const cookie = (request, name) => new RegExp(`(?:^|; )${name}=([^;]+)`).exec(request.headers.cookie ?? "")?.[1];

async function account(session) {
  const { body } = await real("/v1.1/organization");
  const organization = { _id: body.result._id, name: body.result.name };
  return { operator, organization, organizations: [{ ...organization, role: operator.role }], scopes: ["*"], csrf_token: session.csrf };
}

function note(request) {
  if (request.method === "GET" || request.method === "HEAD") return;
  const path = request.url.split("?")[0];
  const at = new Date().toISOString();
  audit.unshift({
    _id: randomBytes(12).toString("hex"),
    actor: { type: "operator", _id: operator._id, name: operator.name },
    method: request.method,
    path,
    createdAt: at,
  });
  audit.length = Math.min(audit.length, 1000);
}

async function accounts(request, response, path, session) {
  const asked = `${request.method} ${path}`;
  if (asked === "GET /v1.1/account") return ok(response, await account(session));
  if (asked === "PATCH /v1.1/account") {
    const body = JSON.parse(await bodyOf(request));
    if (body.name === "")
      return refuse(response, 422, "invalid_body", "name: must have at least 1 character(s)", [
        { field: "name", message: "must have at least 1 character(s)" },
      ]);
    Object.assign(operator, body);
    return ok(response, await account(session));
  }
  if (asked === "POST /v1.1/account/logout") {
    sessions.delete(session.id);
    return ok(response, null, 200, { "set-cookie": "evenwatt_session=; Path=/; Max-Age=0" });
  }
  if (asked === "PUT /v1.1/account/organization") return ok(response, await account(session));
  return refuse(response, 404, "not_found", "This server does not have this yet.");
}

/** Answers what the server lacks; false where the request is to be passed on. */
export async function standIn(request, response) {
  const path = request.url.split("?")[0];
  if (path === "/v1.1/pages/config" || path.startsWith("/v1.1/portal/")) return false;
  if (path.startsWith("/v1.1/driver/")) return (driver(request, response, path), true);
  if (request.method === "POST" && path === "/v1.1/account/login") {
    const said = JSON.parse((await bodyOf(request)) || "{}");
    if (said.email !== EMAIL || said.password !== PASSWORD)
      return (refuse(response, 401, "login_refused", "E-mail address or password is wrong."), true);
    const session = { id: randomBytes(16).toString("hex"), csrf: randomBytes(16).toString("hex") };
    sessions.set(session.id, session);
    return (
      ok(response, await account(session), 200, { "set-cookie": `evenwatt_session=${session.id}; Path=/; HttpOnly; SameSite=Lax` }),
      true
    );
  }
  if (path.startsWith("/v1.1/account/invitations/") || path.startsWith("/v1.1/account/password_reset")) {
    return (refuse(response, 404, "not_found", "This link works no more."), true);
  }
  const session = sessions.get(cookie(request, "evenwatt_session"));
  if (!session) return (refuse(response, 401, "unauthenticated", "Log in first."), true);
  if (request.method !== "GET" && request.headers["x-csrf-token"] !== session.csrf) {
    return (refuse(response, 403, "csrf", "The page is too old: load it again."), true);
  }
  if (path === "/v1.1/account" || path.startsWith("/v1.1/account/")) return (await accounts(request, response, path, session), true);
  if (path === "/v1.1/operators" || path.startsWith("/v1.1/operators/")) return (operators(request, response), true);
  if (path === "/v1.1/audit") return (page(request, response, audit.filter(asAsked(request))), true);
  note(request);
  return false;
}

function operators(request, response) {
  if (request.method === "GET")
    return page(request, response, [{ ...operator, state: "active", last_login_at: null, createdAt: new Date(0).toISOString() }]);
  return refuse(response, 404, "not_found", "This server does not have this yet.");
}

/** The filters of the audit, as a test of its entries. */
function asAsked(request) {
  const query = new URL(request.url, "http://localhost").searchParams;
  const [search, type, method, from, to] = ["search", "actor_type", "method", "createdAt[$gte]", "createdAt[$lte]"].map((name) =>
    query.get(name),
  );
  return (entry) =>
    (!search || `${entry.actor.name} ${entry.path}`.toLowerCase().includes(search.toLowerCase())) &&
    (!type || entry.actor.type === type) &&
    (!method || entry.method === method) &&
    (!from || entry.createdAt >= from) &&
    (!to || entry.createdAt <= to);
}

function page(request, response, rows) {
  const query = new URL(request.url, "http://localhost").searchParams;
  const isAll = query.get("paginate_enabled") === "false";
  const limit = isAll ? Math.max(rows.length, 1) : Number(query.get("paginate_limit") ?? 20);
  const at = isAll ? 1 : Number(query.get("paginate_page") ?? 1);
  ok(
    response,
    rows.slice((at - 1) * limit, at * limit),
    200,
    {},
    {
      totalDocs: rows.length,
      totalIsExact: true,
      limit,
      page: at,
      totalPages: Math.max(1, Math.ceil(rows.length / limit)),
    },
  );
}
