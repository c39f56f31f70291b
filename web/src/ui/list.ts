// What a list is made of: columns, filters, and the query that they and the address bar make.
import { t, word, type FieldName, type Key } from "../i18n/t.svelte";
import { dateTime } from "../lib/format";
import { nameOf, type Ref, type RefKind } from "./refs.svelte";

export interface Column<T> {
  /** The field of the row; its heading is the text `f.<key>`. */
  key: FieldName;
  /** What a cell says, also in Copy. */
  text?: (row: T) => string;
  /** How it looks: a link to the row, a status, a number at the right, a time, code. */
  kind?: "link" | "status" | "number" | "time" | "mono" | "ref";
  /** For `ref`: what it points to. */
  ref?: RefKind;
  /** The page that a cell leads to. */
  to?: (row: T) => string | undefined;
  /** The raw value, where it is not `row[key]`. */
  value?: (row: T) => unknown;
  /** What the API sorts it by: `true` for the key itself. */
  sort?: boolean | string;
  /** Not shown until the reader asks for it. */
  hidden?: boolean;
}

export interface Filter {
  /** The parameter of the API, and of the address bar. */
  name: string;
  label: Key;
  kind: "select" | "ref" | "date" | "number";
  options?: readonly string[];
  /** The kind of word that the options are, for their texts. */
  words?: string;
  ref?: RefKind;
}

/** The raw value of a cell. */
export function valueOf<T>(column: Column<T>, row: T): unknown {
  return column.value ? column.value(row) : (row as Record<string, unknown>)[column.key];
}

/** The words that the API uses for yes and no. */
export const yesNo = (value: unknown): string => (value == null ? "–" : value ? t("said.yes") : t("said.no"));

/** What a cell says. */
export function textOf<T>(column: Column<T>, row: T): string {
  if (column.text) return column.text(row);
  const value = valueOf(column, row);
  if (column.kind === "ref" && column.ref) return nameOf(column.ref, value as Ref);
  if (column.kind === "time") return dateTime(value as string | null);
  if (column.kind === "status") return word("status", value as string | null);
  if (typeof value === "boolean") return yesNo(value);
  return value == null || value === "" ? "–" : String(value);
}

/** The field that the API is asked to sort by, where a column has one. */
export const sortOf = <T>(column: Column<T>): string | undefined => (column.sort === true ? column.key : column.sort || undefined);

export const PAGE_SIZES = [20, 50, 100, 500];

/** The query of the API from the address bar: filters, search, order and page. */
export function apiQuery(address: URLSearchParams, filters: Filter[], fixed: Record<string, string>): Record<string, string> {
  const query: Record<string, string> = { ...fixed };
  for (const { name } of filters) {
    const value = address.get(name);
    if (value) query[name] = name.includes("[$") && !value.includes("T") ? new Date(`${value}T00:00`).toISOString() : value;
  }
  for (const [own, name] of Object.entries({ q: "search", sort: "sort_by", order: "sort_order" })) {
    const value = address.get(own);
    if (value) query[name] = value;
  }
  return query;
}
