// The home user's groups, kept up to date: asked every two seconds while somebody looks, by ETag, until the portal has a stream.
import { Problem, type Schemas } from "../api/client";
import { portalIfChanged } from "./login.svelte";

export type HomeGroup = Schemas["HomeGroupView"];

const EVERY_MS = 2_000;

export const groups = $state<{ list: HomeGroup[] | undefined; problem: Problem | undefined }>({ list: undefined, problem: undefined });
let etag = "";

/** Reads the groups where they changed. */
export async function refresh(): Promise<void> {
  try {
    const changed = await portalIfChanged<HomeGroup[]>("/groups", etag);
    if (changed) {
      etag = changed.etag;
      groups.list = changed.result;
    }
    groups.problem = undefined;
  } catch (error) {
    groups.problem = error instanceof Problem ? error : new Problem(String(error), 0, "page");
  }
}

/** Keeps them up to date until the answer is called. */
export function watchGroups(): () => void {
  etag = "";
  void refresh();
  const timer = setInterval(() => document.hidden || void refresh(), EVERY_MS);
  return () => {
    clearInterval(timer);
    groups.list = undefined;
  };
}
