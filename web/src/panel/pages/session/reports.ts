// The readings of a session as a curve of power.
import type { Schemas } from "../../../api/client";
import type { Series } from "../../../lib/series";

/** Kilowatts over time; readings without power are left out. */
export function powerOf(reports: (Schemas["EnergyReport"] | object)[]): Series {
  const shown = reports.flatMap((report) =>
    "power" in report && report.power ? [{ at: new Date(report.timestamp).getTime() / 1000, kw: report.power.value }] : [],
  );
  shown.sort((one, other) => one.at - other.at);
  return { times: shown.map(({ at }) => at), values: shown.map(({ kw }) => kw) };
}
