// What several parts of the station's page ask of a station.
import type { Schemas } from "../../../api/client";
import { word } from "../../../i18n/t.svelte";

type Station = Schemas["StationView"];

/** Connected, connected and silent for too long, not connected, or never seen. */
export const onlineWord = (station: Station): string =>
  station.online ? (station.late ? "late" : "online") : station.lastConnectAt ? "offline" : "never_connected";

/** Whether it keeps the limits of its group; undefined where that is not known. */
export const obeyingWord = ({ obeying }: Station): string | undefined => (obeying == null ? undefined : obeying ? "obeying" : "not_obeying");

/** How its connectors are doing, counted: 2 Available, 1 Charging. */
export function connectorsText(station: Station): string {
  const counts = new Map<string, number>();
  for (const { detailed_status: status } of station.connectors) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${word("status", status)}`).join(", ") || "–";
}

/** The load-management group that was included in a station. */
export const groupOf = (station: Station | undefined): Schemas["GroupView"] | undefined =>
  station?.group && typeof station.group === "object" ? station.group : undefined;
