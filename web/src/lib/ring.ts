// The ring around a cluster of the map.

/** The order of tones around a ring: what has to be looked at comes first. */
const TONES = ["bad", "warn", "busy", "ok", "idle"];

/** A ring that shows how many of a cluster have which status. */
export function ring(tones: string[]): string {
  let done = 0;
  const parts = TONES.flatMap((tone) => {
    const count = tones.filter((one) => one === tone).length;
    if (count === 0) return [];
    const from = done / tones.length;
    done += count;
    return [`var(--${tone === "busy" ? "accent" : tone === "idle" ? "muted" : tone}) ${from}turn ${done / tones.length}turn`];
  });
  return `conic-gradient(${parts.join(", ")})`;
}
