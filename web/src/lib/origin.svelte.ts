// Where distances are counted from: the browser's position, or a place that was chosen instead.
import type { Place } from "./geo";

export const origin = $state<{ place: Place | undefined; isRefused: boolean }>({ place: undefined, isRefused: false });

/** Asks the browser where it is; it may refuse, and has no position on plain http. */
export function whereAmI(): void {
  if (!("geolocation" in navigator)) {
    origin.isRefused = true;
    return;
  }
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => (origin.place = [coords.longitude, coords.latitude]),
    () => (origin.isRefused = true),
    { timeout: 10_000 },
  );
}
