// The readings of a session as a curve of power.
import type { Series } from "../../../lib/series";

interface Report {
  timestamp?: string;
  power?: { value: number; unit: string };
}

/** Kilowatts over time; readings without power are left out. */
export function powerOf(reports: unknown): Series {
  const rows = (Array.isArray(reports) ? (reports as Report[]) : []).filter(({ timestamp, power }) => timestamp && power);
  const sorted = rows.map(({ timestamp, power }) => ({
    at: new Date(timestamp as string).getTime() / 1000,
    kw: power?.unit === "W" ? power.value / 1000 : (power?.value ?? null),
  }));
  sorted.sort((one, other) => one.at - other.at);
  return { times: sorted.map(({ at }) => at), values: sorted.map(({ kw }) => kw) };
}
