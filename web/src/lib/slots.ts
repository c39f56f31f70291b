// Time plans of a service offer as rows that people edit: days, from, until, tariff. Slots end with their last second, as OICP has it.

export interface Slot {
  start_time: string;
  end_time: string;
  tariff: string;
  color?: string | null;
}

export interface TimePlan {
  days_of_week: string[];
  slots: Slot[];
}

export interface Row {
  weekdays: string[];
  /** "00:00" to "24:00"; until is where the next begins. */
  from: string;
  until: string;
  tariff: string;
}

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

const minutesOf = (clock: string): number => {
  const [hours = 0, minutes = 0] = clock.split(":").map(Number);
  return hours * 60 + minutes;
};
const clockOf = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

/** The rows of a product's plans. */
export function rowsOf(plans: TimePlan[]): Row[] {
  return plans.flatMap(({ days_of_week: days, slots }) =>
    slots.map((slot) => ({
      weekdays: DAYS.filter((day) => days.includes(day.toUpperCase())),
      from: slot.start_time.slice(0, 5),
      until: clockOf(minutesOf(slot.end_time) + 1),
      tariff: slot.tariff,
    })),
  );
}

/** The plans that rows make: days with the same slots are one plan; a row without days holds every day. */
export function plansOf(rows: Row[]): TimePlan[] {
  const plans = new Map<string, TimePlan>();
  for (const day of DAYS) {
    const slots = rows
      .filter(({ weekdays }) => weekdays.length === 0 || weekdays.includes(day))
      .sort((one, other) => minutesOf(one.from) - minutesOf(other.from))
      .map(
        ({ from, until, tariff }): Slot => ({
          start_time: `${from}:00`,
          end_time: `${clockOf((minutesOf(until) || 1440) - 1)}:59`,
          tariff,
        }),
      );
    if (!slots.length) continue;
    const key = JSON.stringify(slots);
    const plan = plans.get(key);
    if (plan) plan.days_of_week.push(day.toUpperCase());
    else plans.set(key, { days_of_week: [day.toUpperCase()], slots });
  }
  return [...plans.values()];
}

/** Each day's slots as hours, Monday first, for the grid. */
export function gridOf(rows: Row[]): { from: number; to: number; tariff: string }[][] {
  return DAYS.map((day) =>
    rows
      .filter(({ weekdays }) => weekdays.length === 0 || weekdays.includes(day))
      .map(({ from, until, tariff }) => ({ from: minutesOf(from) / 60, to: (minutesOf(until) || 1440) / 60, tariff })),
  );
}
