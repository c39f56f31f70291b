// What a home user's group is doing, in one word and one sentence.
import type { Key } from "../i18n/t.svelte";
import type { HomeGroup } from "./groups.svelte";

export interface State {
  word: Key;
  why: Key;
  tone: "ok" | "busy" | "warn" | "bad" | "idle";
}

/** The state of a group: what its charger does, and the first reason why it does not charge. */
export function stateOf(group: HomeGroup): State {
  const stations = group.chargestations;
  const statuses = stations.flatMap(({ connectors }) => connectors.map(({ status }) => status));
  const isCharging = statuses.includes("Charging");
  if (stations.length > 0 && stations.every(({ online }) => !online))
    return { word: "portal.state_offline", why: "portal.why_offline", tone: "bad" };
  if (statuses.includes("Faulted")) return { word: "portal.state_faulted", why: "portal.why_faulted", tone: "bad" };
  const priority = group.priority_charge?.status;
  if (priority === "active") return { word: "portal.state_priority", why: "portal.why_priority", tone: "busy" };
  if (priority === "waiting") return { word: "portal.state_priority", why: "portal.why_priority_waiting", tone: "warn" };
  if (isCharging) return { word: "portal.state_charging", why: "portal.why_charging", tone: "busy" };
  const isPlugged = statuses.some((status) => ["Preparing", "SuspendedEV", "SuspendedEVSE", "Finishing"].includes(status));
  if (isPlugged && group.excluded_now) return { word: "portal.state_waiting", why: "portal.why_excluded", tone: "warn" };
  if (statuses.includes("SuspendedEVSE")) return { word: "portal.state_waiting", why: "portal.why_suspended", tone: "warn" };
  if (statuses.includes("SuspendedEV")) return { word: "portal.state_connected", why: "portal.why_car", tone: "ok" };
  if (isPlugged) return { word: "portal.state_connected", why: "portal.why_connected", tone: "ok" };
  return { word: "portal.state_ready", why: group.excluded_now ? "portal.why_excluded" : "portal.why_ready", tone: "idle" };
}
