// What was typed and not sent yet: kept while the reader goes elsewhere and comes back, until it is sent, or the page is loaded anew.
const drafts = new Map<string, unknown>();

/** The draft of this name, to be changed in place; without one, what `beginning` gives. A name holds what it was made from: its version. */
export function draft<T extends object>(name: string, beginning: () => T): T {
  const known = drafts.get(name) as T | undefined;
  if (known) return known;
  const made = $state(beginning());
  drafts.set(name, made);
  return made;
}

export const kept = (name: string): unknown => drafts.get(name);

export function keep(name: string, value: unknown): void {
  drafts.set(name, value);
}

/** Lets go of a draft: it was sent, or given up. */
export function forget(name: string): void {
  drafts.delete(name);
}

/** Lets go of all of them: somebody else may log in next. */
export function forgetAll(): void {
  drafts.clear();
}
