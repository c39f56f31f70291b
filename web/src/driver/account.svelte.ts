// The driver who is logged in at this browser, by a link in an e-mail. The login is a cookie that no script reads.
import { call, whenLoggedOut, type Page } from "../api/client";
import { recall, remember } from "../i18n/t.svelte";
import { go } from "../lib/route.svelte";
import { session } from "../lib/session.svelte";
import type { Place } from "./api";

/** What the link in an e-mail has behind `/map#`; no server is sent it. */
const LINK = /^#login\/([\w-]+)$/;

export interface Account {
  name: string;
  email: string;
  organizations: { organization: { _id: string; name: string }; name: string; private_group: boolean }[];
}

export interface OwnSession {
  _id: string;
  status: string;
  code: string | null;
  name: string | null;
  location: Place | null;
  organization: string;
  chargingStart: string | null;
  chargingStop: string | null;
  energyConsumed: number;
  cost: { amount: number; currency: string } | null;
}

/** `email` is empty while nobody is known to be logged in; `link` is the secret of a link that was opened. */
export const driver = $state<{ account: Account | undefined; email: string; link: string }>({ account: undefined, email: "", link: "" });

function take(account: Account | undefined): void {
  driver.account = account;
  driver.email = account?.email ?? "";
}

/** Takes the secret of a link out of the address bar, and with it out of the history of this browser. */
function takeLink(): void {
  const secret = LINK.exec(location.hash)?.[1];
  if (!secret) return;
  driver.link = secret;
  history.replaceState(null, "", location.pathname + location.search);
}

/** Finds out who is logged in; nobody is no problem. */
export async function begin(): Promise<void> {
  takeLink();
  addEventListener("hashchange", takeLink);
  whenLoggedOut(() => take(undefined));
  const read = await call<{ result: Account } | undefined>("GET", "/v1.1/driver/account").catch(() => undefined);
  take(read?.result);
}

/** Whether drivers log in at this server. */
export const hasLogins = (): boolean => session.config?.driver_login ?? false;

/** Has a link sent, and remembers where the driver was. */
export async function askForLink(email: string): Promise<void> {
  await call("POST", "/v1.1/driver/login", { email });
  remember("driver_from", location.pathname);
}

/** Logs in by the link that was opened, and goes back to where it was asked for at this browser. */
export async function logIn(): Promise<void> {
  const { result } = await call<{ result: Account }>("POST", `/v1.1/driver/login/${driver.link}`);
  driver.link = "";
  take(result);
  const from = recall("driver_from") ?? "";
  remember("driver_from", "");
  if (/^\/e\/[^/]+$/.test(from)) go(from, { replace: true });
}

/** Logs out at this browser. */
export async function logOut(): Promise<void> {
  await call("POST", "/v1.1/driver/logout");
  take(undefined);
  if (location.pathname !== "/map" && !location.pathname.startsWith("/e/")) go("/map");
}

export const readOwnSessions = (page: number, limit: number, signal?: AbortSignal) =>
  call<Page<OwnSession>>("GET", `/v1.1/driver/sessions?paginate_page=${page}&paginate_limit=${limit}`, undefined, signal);
