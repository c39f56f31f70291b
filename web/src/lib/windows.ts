// Exclusion times as bars of a week: windows that begin on a day and may end on the next.

export interface Window {
  weekdays?: string[] | null;
  from: string;
  to: string;
  enabled?: boolean | null;
}

export interface Bar {
  /** Which window it is of. */
  index: number;
  /** Hours of the day, 0 to 24. */
  from: number;
  to: number;
}

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/** "16:30" as 16.5. */
export function hoursOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(":").map(Number);
  return hours + minutes / 60;
}

/** The bars of each day, Monday first. One that is not over at midnight goes on the next day. */
export function barsOfWeek(windows: Window[]): Bar[][] {
  const week: Bar[][] = DAYS.map(() => []);
  for (const [index, { weekdays, from, to, enabled }] of windows.entries()) {
    if (enabled === false) continue;
    const begin = hoursOf(from);
    const end = hoursOf(to);
    for (const [day, name] of DAYS.entries()) {
      if (weekdays?.length && !weekdays.includes(name)) continue;
      if (end > begin) week[day]?.push({ index, from: begin, to: end });
      else {
        week[day]?.push({ index, from: begin, to: 24 });
        if (end > 0) week[(day + 1) % 7]?.push({ index, from: 0, to: end });
      }
    }
  }
  return week;
}

/** The next days on which the clocks of a zone change, with how many minutes they go forward. */
export function clockChanges(zone: string, from: Date, days: number): { day: Date; minutes: number }[] {
  const offset = (at: Date) => {
    const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(at);
    const text = parts.find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
    const [, sign = "+", hours = "0", minutes = "0"] = /GMT([+-])?(\d+)?:?(\d+)?/.exec(text) ?? [];
    return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  };
  const changes: { day: Date; minutes: number }[] = [];
  for (let day = 0; day < days; day += 1) {
    const today = new Date(from.getTime() + day * 86_400_000);
    const minutes = offset(new Date(today.getTime() + 86_400_000)) - offset(today);
    if (minutes !== 0) changes.push({ day: new Date(today.getTime() + 86_400_000), minutes });
  }
  return changes;
}
