// What a line of the audit was about: the API keeps the path that was called; people read what was done, and to what.
import { t, word, type Key } from "../../i18n/t.svelte";
import { KINDS, nameOf, pageOf as pageOfRef, type RefKind } from "../../ui/refs.svelte";

interface Audited {
  kind?: RefKind;
  id?: string;
  /** What follows in the path. */
  rest: string[];
}

const ID = /^[0-9a-f]{24}$/;
/** Tokens of invitations and of passwords are in some paths, and are nobody's to read; the server writes … in their place. */
const SECRET = /^([\w-]{30,}|…)$/;

const CALLED: Record<RefKind, Key> = {
  location: "one.locations",
  chargestation: "one.stations",
  evse: "f.evse",
  connector: "f.connector",
  group: "one.groups",
  asset: "one.assets",
  user: "one.users",
  token: "one.tokens",
  rate: "one.rates",
  rate_schedule: "one.schedules",
  session: "one.sessions",
  evse_network: "one.networks",
  service_offer: "one.offers",
  home_user: "one.home_users",
};

/** The longest path first: `/rates/schedule` is none of the rates. */
const PATHS = (Object.keys(KINDS) as RefKind[])
  .map((kind) => ({ kind, parts: KINDS[kind].path.split("/").slice(2) }))
  .sort((one, other) => other.parts.length - one.parts.length);

/** What is known of a line: the path of the call, where there was one, and the first thing that it changed. */
export interface Line {
  path?: string | null;
  event?: string | null;
  object?: string | null;
}

/** What it was done to: a thing of the path, or the one that was made there, or the one of the event. */
function thingOf({ path, event, object }: Line): Audited {
  const parts: Audited = path ? partsOf(path) : { kind: event?.startsWith("chargestation.") ? "chargestation" : undefined, rest: [] };
  const isMade = parts.kind && !parts.id && parts.rest.length === 0;
  return isMade && object ? { ...parts, id: object } : parts;
}

/** Takes the path of a call apart. */
export function partsOf(path: string): Audited {
  const called = path.split("/").slice(2);
  // Members of groups are addressed by their station alone.
  if (called[2] === "chargestations" && called[0] === "load_management" && called[3]) {
    return { kind: "chargestation", id: called[3], rest: ["group", ...called.slice(4)] };
  }
  const within = called[0] === "portal" && called[1] === "groups" ? ["load_management", ...called.slice(1)] : called;
  const found = PATHS.find(({ parts }) => parts.every((part, index) => part === within[index]));
  if (!found) return { rest: called.filter((part) => !SECRET.test(part)) };
  const [id, ...rest] = within.slice(found.parts.length);
  if (id !== undefined && !ID.test(id)) return { kind: found.kind, rest: [id, ...rest] };
  return { kind: found.kind, id, rest };
}

const readable = (parts: string[]) =>
  parts
    .filter((part) => !ID.test(part))
    .map((part) => word("deed", part).replaceAll("_", " "))
    .join(" ");

/** What is added to a thing under its own path. */
const PARTS = ["assignments", "chargestations", "connectors", "evses", "groups", "price_updates", "readings"];

/** Of a path that is no kind of thing, the end says what was done: `account/login`, but `webhooks/<id>`. */
const isAct = (rest: string[]) => rest.length > 1 && !ID.test(rest.at(-1) ?? "");

/** What it was done to: a kind of thing, and its name where the path has its id. */
export function whatOf(line: Line): string {
  const { kind, id, rest } = thingOf(line);
  if (!kind) return line.path ? readable(isAct(rest) ? rest.slice(0, -1) : rest) : (line.object ?? "");
  return id ? `${t(CALLED[kind])}: ${nameOf(kind, id)}` : t(CALLED[kind]);
}

/** What was done: created, changed, or what the end of the path says. */
export function actionOf(method: string, path: string): string {
  // Nothing is changed by them but who is logged in.
  if (method === "GET") return word("deed", "login");
  const { kind, id, rest } = partsOf(path);
  const last = kind || isAct(rest) ? rest.at(-1) : undefined;
  if (last === undefined) return method === "POST" && !id ? t("audit.create") : word("method", method);
  if (method !== "POST") return `${word("method", method)}: ${readable(kind ? rest : [last])}`;
  if (PARTS.includes(last)) return t("audit.add", { what: readable([last]) });
  const said = word("command", last);
  return said === last ? readable(kind ? rest : [last]) : said;
}

/** The page of what it was done to. */
export const pageOf = (line: Line): string => {
  const { kind, id } = thingOf(line);
  return (kind && id && pageOfRef(kind, id)) || "";
};
