// Short messages at the edge of the page; the same again is counted, not stacked.
export interface Toast {
  id: number;
  text: string;
  kind: "info" | "bad";
  count: number;
}

/** How long one is shown. */
const SHOWN_MS = 6_000;

export const toasts = $state<Toast[]>([]);
let last = 0;

/** Shows a message for a while. */
export function toast(text: string, kind: Toast["kind"] = "info"): void {
  const same = toasts.find((shown) => shown.text === text);
  if (same) {
    same.count += 1;
    return;
  }
  const id = ++last;
  toasts.push({ id, text, kind, count: 1 });
  setTimeout(() => dismiss(id), SHOWN_MS);
}

/** Takes a message away. */
export function dismiss(id: number): void {
  const index = toasts.findIndex((shown) => shown.id === id);
  if (index >= 0) toasts.splice(index, 1);
}
