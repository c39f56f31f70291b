// The home user's groups, kept up to date: the portal's stream says that something changed, and what is shown is read again.
import { Problem, type Schemas } from "../api/client";
import { throttled } from "../lib/live";
import { login, portal, resume } from "./login.svelte";

export type HomeGroup = Schemas["HomeGroupView"];

/** Readings of a session come every few seconds: they need no answer each. */
const AT_MOST_EVERY_MS = 500;
/** A stream that was refused is asked for again after so long; until then the groups are read as often. */
const REFUSED_MS = 5_000;

export const groups = $state<{ list: HomeGroup[] | undefined; problem: Problem | undefined }>({ list: undefined, problem: undefined });

/** Reads the groups. */
export async function refresh(): Promise<void> {
  try {
    groups.list = await portal<HomeGroup[]>("GET", "/groups");
    groups.problem = undefined;
  } catch (error) {
    groups.problem = error instanceof Problem ? error : new Problem(String(error), 0, "page");
  }
}

/** Keeps them up to date until the answer is called. The stream is closed while nobody looks. */
export function watchGroups(): () => void {
  const changed = throttled(() => void refresh(), AT_MOST_EVERY_MS);
  let stream: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function open(): void {
    stream = new EventSource("/v1.1/portal/events/stream");
    // What happened before it was open is not said.
    stream.onopen = changed;
    stream.onmessage = changed;
    // Broken connections are opened again by the browser; refused ones (a cookie that another tab used, a login that ended) are not.
    stream.onerror = () => {
      if (stream?.readyState === EventSource.CLOSED) timer = setTimeout(() => void again(), REFUSED_MS);
    };
  }

  async function again(): Promise<void> {
    await refresh();
    if (login.isIn) await resume();
    if (login.isIn && !document.hidden && stream?.readyState === EventSource.CLOSED) open();
  }

  function settle(): void {
    if (document.hidden) {
      stream?.close();
      stream = undefined;
    } else if (!stream) open();
  }

  void refresh();
  settle();
  document.addEventListener("visibilitychange", settle);
  return () => {
    document.removeEventListener("visibilitychange", settle);
    clearTimeout(timer);
    stream?.close();
    stream = undefined;
    groups.list = undefined;
  };
}
