// One stream of events for the whole tab, closed while nobody looks: a browser opens six connections to a server at most.

export interface LiveEvent {
  _id: string;
  cursor: number;
  type: string;
  object: string;
  data: Record<string, unknown> & { _id?: string };
  actor: { type: string; _id: string | null; name: string | null } | null;
  createdAt: string;
}

interface Listener {
  types: string[];
  hear: (event: LiveEvent) => void;
}

/** A refused stream is asked for again after so long. */
const REFUSED_MS = 5_000;

const listeners = new Set<Listener>();
const watchers = new Set<(open: boolean) => void>();
let stream: EventSource | undefined;
let streamed = "";
let cursor = 0;
let waiting = false;

/** Whether a type is one of those asked for; `session.*` stands for all of sessions. */
export function wants(types: string[], type: string): boolean {
  return types.some((wanted) => (wanted.endsWith("*") ? type.startsWith(wanted.slice(0, -1)) : wanted === type));
}

function say(open: boolean): void {
  for (const watcher of watchers) watcher(open);
}

function heard(message: MessageEvent<string>): void {
  const event = JSON.parse(message.data) as LiveEvent;
  cursor = event.cursor;
  for (const listener of listeners) if (wants(listener.types, event.type)) listener.hear(event);
}

/** Opens the stream that the listeners need now, or closes it. */
function settle(): void {
  waiting = false;
  const types = [...new Set([...listeners].flatMap((listener) => listener.types))].sort().join(",");
  const wanted = document.hidden ? "" : types;
  if (wanted === streamed) return;
  stream?.close();
  stream = undefined;
  streamed = wanted;
  if (!wanted) {
    // After a page without live data nothing has to be made up for; after a hidden tab everything has.
    if (!types) cursor = 0;
    return;
  }
  const query = new URLSearchParams({ type: wanted, ...(cursor ? { after: String(cursor) } : {}) });
  stream = new EventSource(`/v1.1/events/stream?${query}`);
  stream.onopen = () => say(true);
  stream.onerror = () => {
    say(false);
    // Broken connections are opened again by the browser; refused ones (a cursor that is gone, a login that ended) are not.
    if (stream?.readyState === EventSource.CLOSED) setTimeout(again, REFUSED_MS);
  };
  stream.onmessage = heard;
}

function again(): void {
  if (stream?.readyState !== EventSource.CLOSED) return;
  cursor = 0;
  streamed = "";
  settle();
}

function soon(): void {
  if (waiting) return;
  waiting = true;
  setTimeout(settle, 50);
}

/** Hears events of these types until the answer is called. */
export function live(types: string[], hear: (event: LiveEvent) => void): () => void {
  const listener = { types, hear };
  listeners.add(listener);
  soon();
  return () => {
    listeners.delete(listener);
    soon();
  };
}

/** Says whenever the stream opens or breaks. */
export function watchStream(watcher: (open: boolean) => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Calls at most once in `milliseconds`, the last time included. */
export function throttled(act: () => void, milliseconds: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = -Infinity;
  return () => {
    if (timer) return;
    const wait = Math.max(0, last + milliseconds - Date.now());
    timer = setTimeout(() => {
      timer = undefined;
      last = Date.now();
      act();
    }, wait);
  };
}

document.addEventListener("visibilitychange", soon);
