// Numbers, units and times as people read them, in the language of the page.

let language = "en";

/** Takes over the language of the page. */
export function setFormats(chosen: string): void {
  language = chosen;
}

/** The language as `Intl` takes it, with the reader's country. */
export const locale = (): string => language;

/** A number with at most so many digits after the point. */
export function number(value: number, digits = 1): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

/** What is shown as nought has no sign: meters report -0.02 kW. */
const withoutMinusZero = (value: number) => (Math.abs(value) < 0.05 ? 0 : value);

/** Kilowatts, or a dash where nobody knows. */
export function kilowatts(value: number | null | undefined): string {
  return value == null
    ? "–"
    : `${new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(withoutMinusZero(value))} kW`;
}

/** Watt-hours as kilowatt-hours. */
export function kilowattHours(wattHours: number | null | undefined): string {
  return wattHours == null ? "–" : `${number(wattHours / 1000, 2)} kWh`;
}

/** Money, or the bare number where the currency is unknown. */
export function money(amount: number | string, currency?: string | null): string {
  if (!currency) return number(Number(amount), 4);
  return new Intl.NumberFormat(language, { style: "currency", currency, maximumFractionDigits: 4 }).format(Number(amount));
}

/** Day and time; `medium` has seconds. */
export function dateTime(at: string | number | null | undefined, timeStyle: "short" | "medium" = "short"): string {
  if (at == null || at === "") return "–";
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle }).format(new Date(at));
}

/** An instant in a sentence: the time of day, with the day where that is not today. */
export function moment(at: string, now = Date.now()): string {
  const date = new Date(at);
  if (date.toDateString() !== new Date(now).toDateString()) return dateTime(at);
  return new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(date);
}

/** The time of day, with seconds. */
export function clock(at: string | number): string {
  return new Intl.DateTimeFormat(language, { timeStyle: "medium" }).format(new Date(at));
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** How long ago, or in how long. */
export function ago(at: string | null | undefined, now = Date.now()): string {
  if (!at) return "–";
  const seconds = (new Date(at).getTime() - now) / 1000;
  const [unit, size] = STEPS.find(([, step]) => Math.abs(seconds) >= step) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" }).format(Math.round(seconds / size), unit);
}

/** A length of time: 1 h 05 min. */
export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.round(seconds)} s`;
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Names of the days of the week, Monday first, as the API spells them and as people read them. */
export function weekdays(width: "short" | "long" = "short"): { day: string; name: string }[] {
  const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
  const format = new Intl.DateTimeFormat(language, { weekday: width, timeZone: "UTC" });
  return days.map((day, index) => ({ day, name: format.format(Date.UTC(2024, 0, 1 + index)) }));
}
