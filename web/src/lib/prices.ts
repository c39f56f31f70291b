// What a charge costs by a rate: for previews. The bill is the API's, which also knows steps, minutes and corrections.

export interface Component {
  type: string;
  price: number | string;
  tax?: number | string | null;
  grace_period?: number | null;
}

export interface Line {
  type: string;
  quantity: number;
  unit: string;
  total: number;
}

/** The order in which drivers are shown prices: per kWh, per time, per session (German price-tag rules and AFIR). */
export const ORDER = ["ENERGY", "TIME", "PARKING_TIME", "FLAT"];

/** Prices in the order in which drivers are to be shown them. */
export function inOrder<T extends { type: string }>(components: T[]): T[] {
  const place = ({ type }: T) => (ORDER.includes(type) ? ORDER.indexOf(type) : ORDER.length);
  return [...components].sort((one, other) => place(one) - place(other));
}

/** What one unit costs with tax. */
export const withTax = ({ price, tax }: Component): number => Number(price) * (1 + Number(tax ?? 0) / 100);

/** The lines of a charge of so many kWh that takes so many hours, and stays plugged in for some more. */
export function preview(
  components: Component[],
  kwh: number,
  hours: number,
  parked: number,
  minimum?: number | null,
): { lines: Line[]; total: number } {
  const lines = inOrder(components).map((component): Line => {
    const quantity =
      { FLAT: 1, ENERGY: kwh, TIME: hours, PARKING_TIME: Math.max(0, parked - (component.grace_period ?? 0)) }[component.type] ?? 0;
    const unit = { FLAT: "", ENERGY: "kWh", TIME: "h", PARKING_TIME: "h" }[component.type] ?? "";
    return { type: component.type, quantity, unit, total: quantity * withTax(component) };
  });
  const sum = lines.reduce((total, line) => total + line.total, 0);
  return { lines, total: Math.max(sum, minimum ?? 0) };
}
