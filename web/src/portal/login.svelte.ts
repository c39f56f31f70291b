// Who is logged in at the portal: the access token stays in memory; what renews it is a cookie that no script reads.
import { Problem, problemOf, type Schemas } from "../api/client";

type Tokens = Pick<Schemas["Tokens"], "access_token" | "expires_in">;

/** Renewed so long before it ends. */
const EARLY_MS = 60_000;

export const login = $state<{ isIn: boolean }>({ isIn: false });
let token = "";
let timer: ReturnType<typeof setTimeout> | undefined;
let renewing: Promise<boolean> | undefined;

/** Whose portal it is, where several operators invited the same address: the links of letters say it. */
export const organization = new URLSearchParams(location.search).get("organization") ?? undefined;

function take(tokens: Tokens | undefined): void {
  clearTimeout(timer);
  token = tokens?.access_token ?? "";
  login.isIn = token !== "";
  if (tokens) timer = setTimeout(() => void renew(), Math.max(5_000, tokens.expires_in * 1000 - EARLY_MS));
}

async function fetchJson(method: string, path: string, body?: unknown): Promise<Response> {
  try {
    const all: Record<string, string> = {};
    if (token) all.Authorization = `Bearer ${token}`;
    if (body !== undefined) all["Content-Type"] = "application/json";
    return await fetch(`/v1.1/portal${path}`, { method, headers: all, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem("The server cannot be reached.", 0, "unreachable");
  }
}

async function resultOf<T>(response: Response): Promise<T> {
  const read = (await response.json().catch(() => undefined)) as { result: T } | undefined;
  if (!response.ok || !read) throw problemOf(response.status, read);
  return read.result;
}

/** Renews the login by its cookie; false where there is none. All that ask at once wait for the same renewal. */
function renew(): Promise<boolean> {
  renewing ??= (async () => {
    try {
      const response = await fetchJson("POST", "/refresh", {});
      take(response.status === 200 ? await resultOf<Tokens>(response) : undefined);
    } catch (error) {
      // A network that is away ends no login.
      if (!(error instanceof Problem && error.status === 0)) take(undefined);
    }
    renewing = undefined;
    return login.isIn;
  })();
  return renewing;
}

/** Takes up the login that this browser had. */
export async function resume(): Promise<void> {
  await renew();
}

/** Logs in, accepts an invitation or sets another password: all three answer a login. */
export async function enter(path: string, body: object): Promise<void> {
  take(await resultOf<Tokens>(await fetchJson("POST", path, body)));
}

export async function leave(everywhere = false): Promise<void> {
  await fetchJson("POST", everywhere ? "/logout_everywhere" : "/logout");
  take(undefined);
}

/** Asks the portal's API; renews the login once where it had run out. */
export async function portal<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetchJson(method, path, body);
  if (response.status === 401 && (await renew())) return resultOf<T>(await fetchJson(method, path, body));
  if (response.status === 401) take(undefined);
  return resultOf<T>(response);
}
