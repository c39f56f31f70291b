// Who caused something: what they are called, and the page that a click on them opens.
import type { Schemas } from "../api/client";
import { word } from "../i18n/t.svelte";
import { nameOf } from "../ui/refs.svelte";

/** An actor; none in events from before they were recorded. */
export type Actor = Schemas["ActorView"] | null | undefined;

/** Their name; of the server the part that acted, of all others what they are. */
export function actorName(actor: Actor): string {
  if (!actor) return "–";
  if (actor.type === "station" && actor._id) return nameOf("chargestation", actor._id);
  if (actor.type === "server") return actor.name ? `${word("actor", "server")}: ${word("part", actor.name.replaceAll(" ", "_"))}` : word("actor", "server");
  return actor.name || word("actor", actor.type);
}

/** The station, the home user, or what else the operator or the key changed. */
export function actorPage(actor: Actor): string | undefined {
  if (!actor?._id) return undefined;
  if (actor.type === "station") return `/panel/stations/${actor._id}`;
  if (actor.type === "home_user") return `/panel/users/${actor._id}`;
  return `/panel/audit?actor=${actor._id}`;
}
