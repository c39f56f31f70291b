// What the API says did not work, in the reader's language: by its sentence where that is translated, else by its code.
import { Problem, type Fault } from "../api/client";
import { en } from "../i18n/en";
import { known, language, t, type Key } from "../i18n/t.svelte";
import { dateTime, number } from "./format";

/** What a reader is shown; the API's own sentence beside it where that says more. */
export interface Said {
  text: string;
  detail?: string;
}

/** Codes of which these pages say more than the API, which speaks to programs; and those that say the same of everything. */
const OURS = new Set([
  "unreachable",
  "unauthenticated",
  "login_failed",
  "totp_required",
  "csrf",
  "foreign_origin",
  "not_found",
  "station_offline",
  "no_session",
  "request_in_progress",
  "outcome_unknown",
  "version_mismatch",
  "unsupported_media_type",
  "invalid_path",
  "idempotency_key_reused",
  "upgrade_required",
  "too_many_requests",
  "internal",
  "busy",
  "query_too_long",
  "station_silent",
]);

interface Sentence {
  key: Key;
  pattern: RegExp;
  /** How much of it is always the same: of two that fit, the one that says more is meant. */
  fixed: number;
}

const HOLE = /\{(\w+)\}/g;
/** What may stand in a hole; a figure where another hole is next to it. */
const hole = (name: string) => `(?<${name}>${name === "seconds" ? "\\d+" : ".+?"})`;
const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The sentences of the API that have a translation: the English text is the API's, with holes. Made when the first is needed. */
let sentences: Sentence[] | undefined;
const readSentences = (): Sentence[] =>
  Object.entries(en)
    .filter(([key]) => key.startsWith("api."))
    .map(([key, text]) => {
      const parts = text.split(HOLE).map((part, index) => (index % 2 ? hole(part) : literal(part)));
      return { key: key as Key, pattern: new RegExp(`^${parts.join("")}$`, "s"), fixed: text.replace(HOLE, "").length };
    })
    .sort((one, other) => other.fixed - one.fixed);

/** What a field is called: by its label, else by its name. */
const labelOf = (name: string): string => known("f", name) ?? name.replaceAll("_", " ");

/** A figure or a time as the reader writes it, the name of another field as its label, a status as a word. */
function valueText(value: string): string {
  const [, figure, unit = ""] = /^(-?\d+(?:\.\d+)?)( kW)?$/.exec(value) ?? [];
  if (figure !== undefined) return number(Number(figure), 6) + unit;
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return dateTime(value);
  return known("f", value) ?? known("status", value) ?? known("direction", value) ?? value;
}

/** A sentence of the API in the reader's language, where it is known. */
function translated(message: string): string | undefined {
  sentences ??= readSentences();
  for (const { key, pattern } of sentences) {
    const found = pattern.exec(message);
    if (!found) continue;
    const values = Object.entries(found.groups ?? {}).map(([name, value]) => [name, valueText(value)] as const);
    return t(key, Object.fromEntries(values));
  }
  return undefined;
}

/** What the server says of something, in the reader's language where it is known. */
export const sentenceText = (message: string): string => translated(message) ?? message;

/** What is wrong with a field, to stand at it. */
export function faultText({ code, message }: Fault): string {
  const sentence = translated(message);
  if (sentence || language() === "en") return sentence ?? message;
  const kind = known("fault", code);
  return kind ? `${kind} (${message})` : message;
}

/** What is wrong with the fields of an input, to stand beneath it. */
export const faultsText = (faults: Fault[]): string => faults.map(faultText).join("; ");

/** Where a fault is, as people read it: `tariffs[0].name` is the name of the first tariff. */
export function fieldText(field: string): string {
  return field
    .split(".")
    .map((part) => {
      const [, name = part, index] = /^(.*?)\[(\d+)\]/.exec(part) ?? [];
      return index === undefined ? labelOf(name) : `${labelOf(name)} ${Number(index) + 1}`;
    })
    .join(", ");
}

/** Faults that no field of the page shows: each with the name of its field. */
export const namedFaults = (faults: Fault[]): string =>
  faults.map((fault) => (fault.field ? `${fieldText(fault.field)}: ${faultText(fault)}` : faultText(fault))).join("; ");

/** A problem in the reader's language; `text` puts names in place of ids. */
export function said(problem: Problem, text = (message: string) => message): Said {
  const message = text(problem.message);
  const lacking = problem.status === 403 ? /needs the scope (\S+)/.exec(message)?.[1] : undefined;
  if (lacking) return { text: t("problem.not_allowed", { scope: lacking }) };
  if (problem.faults.length) return { text: t("problem.check", { faults: namedFaults(problem.faults) }) };
  const sentence = translated(message);
  if (sentence) return { text: sentence };
  const code = problem.status === 404 ? "not_found" : problem.code;
  const kind = known("problem", code);
  if (!kind) return { text: message || t("problem.answered", { status: problem.status }) };
  if (OURS.has(code) || !message) return { text: kind };
  return language() === "en" ? { text: message } : { text: kind, detail: message };
}

/** A problem in one line, for toasts and cells. */
export function problemText(error: unknown): string {
  if (!(error instanceof Problem)) return String(error);
  const { text, detail } = said(error);
  return detail ? `${text} (${detail})` : text;
}
