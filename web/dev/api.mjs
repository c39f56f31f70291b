// The API in development: everything below /v1.1 is passed on to a running server, as if its own page had asked.
import http from "node:http";

const HOP = new Set(["connection", "keep-alive", "transfer-encoding", "host"]);

const target = () => new URL(process.env.EVENWATT_URL ?? "http://127.0.0.1:8080");

/** Passes a request on; answers and streams flow as they come. */
function pass(request, response) {
  const url = target();
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !HOP.has(name)));
  headers.host = url.host;
  if (headers.origin) headers.origin = url.origin;
  // A connection of its own: one that is kept may be closed by the server just when it is used again.
  const asked = http.request(
    { agent: false, host: url.hostname, port: url.port, method: request.method, path: request.url, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  asked.on("error", () => {
    if (!response.headersSent) response.writeHead(502);
    response.end();
  });
  response.on("close", () => asked.destroy());
  request.pipe(asked);
}

/** Answers what belongs to the API; false for everything else. */
export function answer(request, response) {
  if (!request.url?.startsWith("/v1.1/")) return false;
  pass(request, response);
  return true;
}
