// The API for development and browser tests: passes /v1.1 on to a running server with a key, and stands in for what is not there yet.
import http from "node:http";

import { standIn } from "./standin.mjs";

const KEPT = new Set(["connection", "keep-alive", "transfer-encoding", "host", "cookie", "authorization"]);

/** Where the server is; read at each request, so that tests can set it late. */
export const target = () => new URL(process.env.EVENWATT_URL ?? "http://127.0.0.1:8080");

/** Headers without those of this connection. */
const passed = (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => !KEPT.has(name)));

/** Passes a request on, with these headers of who asks; answers and streams flow as they come. */
export function pass(request, response, { authorization, cookie } = {}, body) {
  const url = target();
  const headers = { ...passed(request.headers), host: url.host };
  if (authorization) headers.authorization = authorization;
  if (cookie) headers.cookie = cookie;
  // To the server the page is its own, as it will be.
  if (headers.origin) headers.origin = url.origin;
  if (body !== undefined) headers["content-length"] = Buffer.byteLength(body);
  // A connection of its own: one that is kept may be closed by the server just when it is used again.
  const asked = http.request(
    { agent: false, host: url.hostname, port: url.port, method: request.method, path: request.url, headers },
    (answer) => {
      const own = { ...answer.headers };
      delete own["content-security-policy"];
      response.writeHead(answer.statusCode ?? 502, own);
      answer.pipe(response);
    },
  );
  asked.on("error", () => {
    if (!response.headersSent) response.writeHead(502, { "content-type": "application/json" });
    response.end(
      JSON.stringify({
        ok: false,
        message: "The server cannot be reached.",
        result: null,
        code: "unreachable",
        errors: [],
        request_id: "",
      }),
    );
  });
  response.on("close", () => asked.destroy());
  if (body !== undefined) asked.end(body);
  else request.pipe(asked);
}

/** Answers what belongs to the API; false for everything else. */
export function answer(request, response) {
  if (!request.url?.startsWith("/v1.1/")) return false;
  void standIn(request, response).then((done) => {
    if (done) return;
    const isPortal = request.url.startsWith("/v1.1/portal/");
    pass(request, response, isPortal ? request.headers : { authorization: `Bearer ${process.env.EVENWATT_API_KEY ?? ""}` });
  });
  return true;
}
