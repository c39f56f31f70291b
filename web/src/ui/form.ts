// What a form is made of: fields that bear the names of the API, in sections.
import type { FieldName, Key } from "../i18n/t.svelte";
import type { RefKind } from "./refs.svelte";

export type FieldKind =
  | "text"
  | "email"
  | "password"
  | "number"
  | "textarea"
  | "select"
  | "toggle"
  | "datetime"
  | "time"
  | "ref"
  | "refs"
  | "pairs"
  | "json"
  | "coordinates"
  | "tags"
  | "weekdays"
  | "hours"
  | "rows";

export interface Field {
  /** Its path in the body, such as `address.city`; its label is the text `f.<name>`. */
  name: FieldName;
  kind?: FieldKind;
  required?: boolean;
  unit?: string;
  help?: Key;
  options?: readonly (string | number)[];
  /** The kind of word that the options are, for their texts. */
  words?: string;
  ref?: RefKind;
  /** What a reference is looked for among. */
  fixed?: Record<string, string>;
  /** Whether a list of nothing is null. */
  nullable?: boolean;
  /** What is said where none of them is found. */
  none?: Key;
  min?: number;
  max?: number;
  step?: number;
  /** The fields of one row, for `rows`. */
  inner?: Field[];
  /** Whether it is asked at all. */
  when?: (values: Record<string, unknown>) => boolean;
  /** The name in the body, where two fields have the same label. */
  path?: string;
}

export interface Section {
  title?: Key;
  fields: Field[];
  /** Closed until somebody opens it. */
  folded?: boolean;
}

/** Whether a text was typed that nothing was chosen by; the first such field is shown then. */
export function isUnchosen(form: HTMLFormElement): boolean {
  const field = form.querySelector<HTMLElement>("[data-unchosen]");
  field?.focus();
  return field !== null;
}

/** Where a field stands in the body. */
export const pathOf = (field: Field): string => field.path ?? field.name;

/** A time as `<input type="datetime-local">` has it, to the minute or (19) to the second, and back. */
export function localTime(at: unknown, length = 16): string {
  if (typeof at !== "string" || at === "") return "";
  const date = new Date(at);
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, length);
}

export const instant = (local: string): string | null => (local ? new Date(local).toISOString() : null);

/** What was typed into a field for numbers: an empty one is nothing. */
export const numberOf = (typed: string): number | null => (typed.trim() === "" ? null : Number(typed));
