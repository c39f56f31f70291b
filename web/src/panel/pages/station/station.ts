// What several parts of the station's page ask of a station.
import { ask, api, type Schemas } from "../../../api/client";
import { word } from "../../../i18n/t.svelte";

type Station = Schemas["StationView"];

/** Connected, not connected, or never seen. */
export const onlineWord = (station: Station): string => (station.online ? "online" : station.lastConnectAt ? "offline" : "never_connected");

/** How its connectors are doing, counted: 2 Available, 1 Charging. */
export function connectorsText(station: Station): string {
  const counts = new Map<string, number>();
  for (const { detailed_status: status } of station.connectors) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} ${word("status", status)}`).join(", ") || "–";
}

/** The load-management group that a station is in; the API has no field for it yet. */
export async function groupOf(station: string): Promise<Schemas["GroupView"] | undefined> {
  const groups = await ask(api.GET("/v1.1/load_management/groups", { params: { query: { paginate_enabled: false } } }));
  return groups.find((group) => group.chargestations.some((member) => member.chargestation === station));
}
