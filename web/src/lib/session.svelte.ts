// Who is logged in at the panel, for which organization, and what the server says of itself.
import { call, Problem, setCsrfToken, whenLoggedOut, type Schemas } from "../api/client";
import { forgetAll } from "./drafts.svelte";

export interface Account {
  operator: { _id: string; email: string; name: string; language: string | null; role: string; locations: string[] | null; totp: boolean };
  organization: { _id: string; name: string; logo: string | null };
  organizations: { _id: string; name: string; role: string }[];
  /** Whether the person makes and joins organizations of this installation. */
  installation_admin: boolean;
  scopes: string[];
  csrf_token: string;
}

/** Who operators may log in by, beside a password; `url` leads there. */
export interface LoginProvider {
  id: string;
  name: string;
  url: string;
}

/** What the pages have to know before anybody is logged in. */
export interface PagesConfig {
  name: string;
  tiles: { url: string; attribution: string } | null;
  login: { password: boolean; oidc: LoginProvider[] };
  /** Whether drivers log in, by a link in an e-mail. */
  driver_login: boolean;
  /** Of a server with one organization. */
  logo: string | null;
  support_contact: Schemas["SupportContact"] | null;
}

export const session = $state<{ account: Account | undefined; isKnown: boolean; config: PagesConfig | undefined }>({
  account: undefined,
  isKnown: false,
  config: undefined,
});

let last = "";

function take(account: Account | undefined): void {
  // What one operator typed is not for the next; who logs in again after the session ended finds it.
  if (account && last && last !== account.operator._id) forgetAll();
  if (account) last = account.operator._id;
  session.account = account;
  session.isKnown = true;
  setCsrfToken(account?.csrf_token ?? "");
}

/** Finds out who is logged in; nobody is no problem. */
export async function begin(): Promise<void> {
  whenLoggedOut(() => take(undefined));
  const [account] = await Promise.allSettled([readAccount(), readConfig()]);
  if (account.status === "rejected") take(undefined);
}

/** Reads only what every page has to know: for pages without login. */
export async function readConfig(): Promise<void> {
  const { result } = await call<{ result: PagesConfig }>("GET", "/v1.1/pages/config");
  session.config = result;
}

/** Reads who is logged in, and for whom: also after the organization has another name or logo. */
export async function readAccount(): Promise<void> {
  const { result } = await call<{ result: Account }>("GET", "/v1.1/account");
  take(result);
}

/** Logs in; true where the second factor is asked for. */
export async function logIn(email: string, password: string, totp?: string): Promise<boolean> {
  try {
    const { result } = await call<{ result: Account }>("POST", "/v1.1/account/login", { email, password, ...(totp ? { totp } : {}) });
    take(result);
    return false;
  } catch (error) {
    if (error instanceof Problem && error.code === "totp_required") return true;
    throw error;
  }
}

/** Logs out here. */
export async function logOut(): Promise<void> {
  await call("POST", "/v1.1/account/logout");
  take(undefined);
}

/** Works for another organization from now on; every page reads anew. */
export async function switchTo(organization: string): Promise<void> {
  const { result } = await call<{ result: Account }>("PUT", "/v1.1/account/organization", { organization });
  take(result);
}

/** Changes the own account. */
export async function changeAccount(body: object): Promise<void> {
  const { result } = await call<{ result: Account }>("PATCH", "/v1.1/account", body);
  take(result);
}

/** Whether the reader works at every location. */
export const worksEverywhere = (): boolean => !session.account?.operator.locations;

/** Whether the reader may do something: `write:groups`. */
export function may(scope: string): boolean {
  const scopes = session.account?.scopes ?? [];
  return scopes.includes("*") || scopes.includes(scope);
}
