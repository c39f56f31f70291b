// A login provider of OpenID Connect in a few lines: lets in whoever is set as `person`, without asking.
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer } from "node:http";

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Starts it; `options` are what a server must be configured with to know it as "example". */
export async function startProvider() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const grants = new Map();
  const provider = { person: undefined };

  function idToken(nonce) {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: provider.issuer, aud: "evenwatt", iat: now, exp: now + 60, nonce, ...provider.person };
    const content = `${part({ alg: "ES256", kid: "1" })}.${part(claims)}`;
    return `${content}.${sign("sha256", Buffer.from(content), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }

  function authorize(query) {
    const answer = new URL(query.get("redirect_uri"));
    answer.searchParams.set("state", query.get("state"));
    if (provider.person) {
      const code = randomUUID();
      grants.set(code, { challenge: query.get("code_challenge"), token: idToken(query.get("nonce")) });
      answer.searchParams.set("code", code);
    } else {
      answer.searchParams.set("error", "access_denied");
    }
    return answer.href;
  }

  function exchange(form) {
    const grant = grants.get(form.get("code"));
    grants.delete(form.get("code"));
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    return grant?.challenge === challenge ? { id_token: grant.token, token_type: "Bearer", access_token: "-" } : undefined;
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, provider.issuer);
    const json = (body, status = 200) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (url.pathname === "/authorize") return response.writeHead(302, { location: authorize(url.searchParams) }).end();
    if (url.pathname === "/keys") return json({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1" }] });
    if (url.pathname === "/token") {
      let body = "";
      for await (const piece of request) body += piece;
      const tokens = exchange(new URLSearchParams(body));
      return tokens ? json(tokens) : json({ error: "invalid_grant" }, 400);
    }
    const { issuer } = provider;
    return json({ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys` });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  provider.issuer = `http://127.0.0.1:${server.address().port}`;
  provider.close = () => new Promise((closed) => server.close(closed).closeAllConnections());
  provider.options = {
    EVENWATT_OIDC_EXAMPLE_NAME: "Example & Co",
    EVENWATT_OIDC_EXAMPLE_ISSUER: provider.issuer,
    EVENWATT_OIDC_EXAMPLE_CLIENT_ID: "evenwatt",
    EVENWATT_OIDC_EXAMPLE_CLIENT_SECRET: "secret",
  };
  return provider;
}
