// What a page shows of the API: read when the page opens and when what it depends on changes, kept while it is read again.
import { untrack } from "svelte";

import { Problem } from "../api/client";

export class Loaded<T> {
  data = $state.raw<T | undefined>(undefined);
  problem = $state.raw<Problem | undefined>(undefined);
  busy = $state(true);
  #again = $state(0);
  #isStale = false;

  /** `read` runs now and whenever state that it uses before its first `await` changes. Call it while a component is made. */
  constructor(read: (signal: AbortSignal) => Promise<T>) {
    $effect(() => {
      void this.#again;
      const stop = new AbortController();
      const reading = read(stop.signal);
      untrack(() => void this.#take(reading, stop.signal));
      return () => stop.abort();
    });
  }

  async #take(reading: Promise<T>, signal: AbortSignal): Promise<void> {
    this.busy = true;
    try {
      const data = await reading;
      if (signal.aborted) return;
      this.data = data;
      this.problem = undefined;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = error instanceof Problem ? error : new Problem(String(error), 0, "page");
    }
    this.busy = false;
    if (this.#isStale) this.reload();
  }

  /** Reads again; once what is under way has come, or an answer that takes longer than its changes come apart would never be shown. */
  reload = (): void => {
    untrack(() => {
      this.#isStale = this.busy;
      if (!this.busy) this.#again += 1;
    });
  };
}

/** Shorthand for `new Loaded`. */
export function load<T>(read: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  return new Loaded(read);
}
