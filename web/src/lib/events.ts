// What happened, in the reader's words: types of events are made of a thing and of what became of it.
import { known } from "../i18n/t.svelte";

/** The type of an event in words; itself where nobody here knows it. */
export function eventText(type: string): string {
  const own = known("event", type);
  if (own) return own;
  const [, object = "", last = ""] = /^(.+)\.(\w+)$/.exec(type) ?? [];
  const [thing, step] = [known("thing", object) ?? known("command", object.split(".").at(-1) ?? ""), known("step", last)];
  return thing && step ? `${thing}: ${step}` : type;
}
