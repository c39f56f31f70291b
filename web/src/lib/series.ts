// Series with times of their own, brought onto one axis for the chart.

export interface Series {
  /** Seconds since 1970, ascending. */
  times: number[];
  values: (number | null)[];
  /** A step holds until the next one; others are joined by lines. */
  isStep?: boolean;
}

/** All times of all series, once each and ascending, and every series with a value or nothing at each of them. */
export function align(series: Series[]): { times: number[]; values: (number | null)[][] } {
  const times = [...new Set(series.flatMap((one) => one.times))].sort((one, other) => one - other);
  const values = series.map((one) => {
    let next = 0;
    let last: number | null = null;
    return times.map((time) => {
      let isHere = false;
      while (next < one.times.length && (one.times[next] as number) <= time) {
        last = one.values[next] ?? null;
        next += 1;
        isHere = true;
      }
      return one.isStep || isHere ? last : null;
    });
  });
  return { times, values };
}

/** The last value at or before a time. */
export function valueAt(times: number[], values: (number | null)[], time: number): number | null {
  for (let index = times.length - 1; index >= 0; index -= 1) {
    if ((times[index] as number) <= time && values[index] != null) return values[index] ?? null;
  }
  return null;
}
