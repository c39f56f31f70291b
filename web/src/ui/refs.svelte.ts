// What ids point to: where each kind is listed, what its rows are called, which page shows one. Names are read once and kept.
import { SvelteMap } from "svelte/reactivity";

import { call, list, queryString, type Schemas } from "../api/client";
import { becauseText } from "../lib/because";
import { may } from "../lib/session.svelte";

interface Kind {
  path: string;
  page?: string;
  name: (row: never) => string;
  /** What else is asked for, where its reader may: the things that its name is made of. */
  include?: { parameter: string; scope: string };
}

const kind = <T>(path: string, name: (row: T) => string, page?: string): Kind => ({ path, name: name as (row: never) => string, page });

/** A place in one line. */
export const placeName = (row: Schemas["LocationView"]) => row.name ?? [row.operatorName, row.address.city].filter(Boolean).join(", ");
export const stationName = (row: Schemas["StationView"]) => row.name ?? row.code ?? row.endpoint;
/** With its station's name before its own where that was included: most connectors have no name. */
export function connectorName(row: Schemas["ConnectorView"]): string {
  const own = row.name ?? row.code ?? `${row.type} ${row.number}`;
  return typeof row.chargestation === "object" ? `${stationName(row.chargestation)} · ${own}` : own;
}
export const userName = (row: Schemas["UserView"]) => `${row.firstname} ${row.lastname}`.trim();

export const KINDS = {
  location: kind<Schemas["LocationView"]>("/v1.1/locations", placeName, "locations"),
  chargestation: kind<Schemas["StationView"]>("/v1.1/chargestations", stationName, "stations"),
  evse: kind<Schemas["EvseView"]>("/v1.1/evses", (row) => row.name ?? row.evse_id ?? row.code),
  connector: {
    ...kind<Schemas["ConnectorView"]>("/v1.1/connectors", connectorName),
    include: { parameter: "include_chargestation", scope: "read:chargestations" },
  } as Kind,
  group: kind<Schemas["GroupView"]>("/v1.1/load_management/groups", (row) => row.name, "groups"),
  asset: kind<Schemas["AssetView"]>("/v1.1/assets", (row) => row.name, "assets"),
  user: kind<Schemas["UserView"]>("/v1.1/users", userName, "users"),
  token: kind<Schemas["TokenView"]>("/v1.1/tokens", (row) => row.physicalId),
  rate: kind<Schemas["RateView"]>("/v1.1/rates", (row) => row.name),
  rate_schedule: kind<Schemas["RateScheduleView"]>("/v1.1/rates/schedule", (row) => row.name),
  session: kind<Schemas["SessionView"]>("/v1.1/sessions", (row) => row.id_tag ?? row._id.slice(-6), "sessions"),
  evse_network: kind<Schemas["EvseNetworkView"]>("/v1.1/evse_networks", (row) => row.name, "networks"),
  service_offer: kind<Schemas["ServiceOfferView"]>("/v1.1/service_offers", (row) => row.name, "offers"),
  home_user: kind<Schemas["HomeUserView"]>("/v1.1/home_users", (row) => row.email ?? `${row.firstname} ${row.lastname}`),
} as const;

export type RefKind = keyof typeof KINDS;

/** An id, or the object in its place where the list included it. */
export type Ref = string | { _id: string } | null | undefined;

const names = new SvelteMap<string, string>();
const asked = new Set<string>();

/** The id behind a reference. */
export const idOf = (ref: Ref): string | undefined => (typeof ref === "string" ? ref : (ref?._id ?? undefined));

/** The parameters that a kind's names need. */
function included(which: RefKind): Record<string, string> {
  const { include } = KINDS[which] as Kind;
  return include && may(include.scope) ? { [include.parameter]: "true" } : {};
}

/** What a row of a kind is called. */
export function nameOfRow(which: RefKind, row: unknown): string {
  return KINDS[which].name(row as never);
}

/** Remembers what a row is called, for those who have its id only. */
export function learn(which: RefKind, rows: { _id: string }[]): void {
  for (const row of rows) names.set(row._id, nameOfRow(which, row));
}

/** Remembers what a thing is called that is known by its id. */
export function know(id: string, name: string): void {
  if (names.get(id) !== name) names.set(id, name);
}

/** What a reference is called: the end of its id until the name was read. */
export function nameOf(which: RefKind, ref: Ref): string {
  if (!ref) return "–";
  if (typeof ref !== "string") return nameOfRow(which, ref);
  const known = names.get(ref);
  if (known !== undefined) return known;
  if (!asked.has(ref)) {
    asked.add(ref);
    call<{ result: { _id: string } }>("GET", `${KINDS[which].path}/${ref}?${queryString(included(which))}`)
      .then(({ result }) => names.set(ref, nameOfRow(which, result)))
      .catch(() => undefined);
  }
  return `…${ref.slice(-6)}`;
}

/** The page of a reference, where its kind has one. */
export function pageOf(which: RefKind, ref: Ref): string | undefined {
  const { page } = KINDS[which] as Kind;
  const id = idOf(ref);
  return page && id ? `/panel/${page}/${id}` : undefined;
}

/** Rows of a kind that match what was typed. */
export async function find(which: RefKind, search: string, fixed: Record<string, string> = {}): Promise<{ id: string; name: string }[]> {
  const { result } = await list<{ _id: string }>(KINDS[which].path, { search, paginate_limit: 20, ...included(which), ...fixed });
  learn(which, result);
  return result.map((row) => ({ id: row._id, name: nameOfRow(which, row) }));
}

/** A sentence that names a group by its id: people know it by name. */
export const groupText = (message: string): string => message.replace(/(?<=group )[0-9a-f]{24}/g, (id) => `“${nameOf("group", id)}”`);

interface Reasoned {
  reason?: string | null;
  because?: Schemas["Because"] | null;
}

/** Why a limit is what it is, in the reader's language; in the API's words where its code is not known here. */
export function reasonText({ reason, because }: Reasoned): string {
  const said = because && becauseText(because, (id) => nameOf("group", id));
  return said || groupText(reason ?? "–");
}
