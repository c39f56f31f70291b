// Serves dist/ as the Rust server will: shells by path, hashed files, strict CSP; the API behind it. For browser tests and to look.
import { createReadStream, existsSync } from "node:fs";
import http from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { answer } from "./api.mjs";
import { shellOf } from "./shells.mjs";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};

export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; " +
  "form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

function file(request, response, path) {
  const accepts = request.headers["accept-encoding"] ?? "";
  const encoding = [
    ["br", ".br"],
    ["gzip", ".gz"],
  ].find(([name, end]) => accepts.includes(name) && existsSync(path + end));
  response.writeHead(200, {
    "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    "content-security-policy": POLICY,
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-content-type-options": "nosniff",
    "cache-control": path.includes("assets") ? "max-age=31536000, immutable" : "no-cache",
    ...(encoding ? { "content-encoding": encoding[0] } : {}),
  });
  createReadStream(path + (encoding?.[1] ?? "")).pipe(response);
}

/** Starts the server; port 0 takes a free one. */
export function serve(port = 0) {
  const server = http.createServer((request, response) => {
    if (answer(request, response)) return;
    const shell = shellOf(request.url ?? "/");
    if (shell) return file(request, response, join(DIST, shell, "index.html"));
    const path = join(DIST, normalize(new URL(request.url ?? "/", "http://localhost").pathname));
    if (path.startsWith(DIST) && extname(path) && existsSync(path)) return file(request, response, path);
    response.writeHead(404).end();
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(server)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await serve(Number(process.env.PORT ?? 5180));
  console.log(`http://127.0.0.1:${server.address().port}/panel`);
}
