// Distances on the earth, and points that are too close to be shown apart.

export type Place = [lng: number, lat: number];

/** Kilometres between two places, as the crow flies. */
export function kilometresBetween([lng, lat]: Place, [otherLng, otherLat]: Place): number {
  const rad = Math.PI / 180;
  const a =
    Math.sin(((otherLat - lat) * rad) / 2) ** 2 +
    Math.cos(lat * rad) * Math.cos(otherLat * rad) * Math.sin(((otherLng - lng) * rad) / 2) ** 2;
  return 12_742 * Math.asin(Math.min(1, Math.sqrt(a)));
}

export interface Pixel {
  x: number;
  y: number;
}

/** Puts points that are closer than `apart` pixels into one cluster; the first of each is its place. */
export function cluster<T>(points: { at: Pixel; item: T }[], apart: number): { at: Pixel; items: T[] }[] {
  const clusters: { at: Pixel; items: T[] }[] = [];
  for (const { at, item } of points) {
    const near = clusters.find((one) => Math.hypot(one.at.x - at.x, one.at.y - at.y) < apart);
    if (near) near.items.push(item);
    else clusters.push({ at, items: [item] });
  }
  return clusters;
}

/** The lines of a grid over a stretch of degrees: a round step, and where its lines are. */
export function gridLines(from: number, to: number): number[] {
  const steps = [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
  const step = steps.find((one) => (to - from) / one >= 4) ?? 0.001;
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step);
  return Array.from({ length: Math.max(0, Math.min(last - first + 1, 40)) }, (_, index) => (first + index) * step);
}
