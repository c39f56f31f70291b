// Portal logins by cookie: keeps the refresh token of the real API in a cookie that no script can read.
import { bodyOf, ok, pass, refuse } from "./standin.mjs";
import { target } from "./api.mjs";
import { home } from "./standin-home.mjs";

const LOGINS = /^\/v1\.1\/portal\/(login|refresh|invitations\/[^/]+\/accept|password_reset\/[^/]+)$/;
const cookie = (token, age) => ({ "set-cookie": `evenwatt_portal=${token}; Path=/v1.1/portal; HttpOnly; SameSite=Strict; Max-Age=${age}` });

export async function portal(request, response, path) {
  if (await home(request, response, path)) return true;
  if (request.method === "POST" && path.endsWith("/logout")) {
    const answer = await fetch(new URL(path, target()), {
      method: "POST",
      headers: { authorization: request.headers.authorization ?? "" },
    });
    return (ok(response, (await answer.json()).result, answer.status, cookie("", 0)), true);
  }
  if (request.method !== "POST" || !LOGINS.test(path)) {
    pass(request, response, request.headers.authorization);
    return true;
  }
  let body = await bodyOf(request);
  if (path.endsWith("/refresh")) {
    const kept = /(?:^|; )evenwatt_portal=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
    // 204 and not 401: nobody is logged in yet, which is nothing wrong.
    if (!kept) return (response.writeHead(204).end(), true);
    body = JSON.stringify({ refresh_token: kept });
  }
  const answer = await fetch(new URL(path, target()), { method: "POST", headers: { "content-type": "application/json" }, body });
  const said = await answer.json();
  if (!answer.ok) return (refuse(response, answer.status, said.code, said.message, said.errors), true);
  const { refresh_token: token, ...rest } = said.result;
  return (ok(response, rest, answer.status, cookie(token, 30 * 86_400)), true);
}
