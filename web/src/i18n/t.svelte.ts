// Texts by key. A key that does not exist does not compile; what is not translated yet is English.
import { number, setFormats } from "../lib/format";
import { en } from "./en";

export type Key = keyof typeof en;

/** Names of fields that have a text: `f.name`. */
export type FieldName = Key extends infer K ? (K extends `f.${infer N}` ? N : never) : never;

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const CHUNKS: Record<Exclude<Language, "en">, () => Promise<{ texts: Partial<Record<Key, string>> }>> = {
  de: () => import("./de"),
};

const state = $state<{ language: Language; texts: Partial<Record<Key, string>> }>({ language: "en", texts: {} });

/** The text of a key, with `{names}` filled in. Where it has two forms, as in `1 row|{count} rows`, `count` chooses. */
export function t(key: Key, values?: Record<string, string | number>): string {
  const text = state.texts[key] ?? en[key];
  if (!values) return text;
  const [one, many = one] = text.split("|");
  return ((values.count === 1 ? one : many) ?? "").replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name] ?? whole;
    return typeof value === "number" ? number(value) : value;
  });
}

/** The text of a word that the API chose (`status.Charging`), where it has one. */
export function known(kind: string, said: string): string | undefined {
  const key = `${kind}.${said}` as Key;
  return state.texts[key] ?? en[key];
}

/** The same, or the word itself. */
export function word(kind: string, said: string | null | undefined): string {
  return said == null || said === "" ? "–" : (known(kind, said) ?? said);
}

/** The language of the page. */
export function language(): Language {
  return state.language;
}

/** Speaks another language from now on, and remembers it. */
export async function speak(language: Language): Promise<void> {
  const texts = language === "en" ? {} : (await CHUNKS[language]()).texts;
  state.language = language;
  state.texts = texts;
  document.documentElement.lang = language;
  // English of the reader's own country has its own dates.
  setFormats(navigator.languages.find((code) => code.startsWith(language)) ?? language);
  remember("language", language);
}

/** Speaks the language that was chosen, else the browser's. */
export async function speakFirst(): Promise<void> {
  const known = (code: string | null): code is Language => code !== null && code in LANGUAGES;
  const chosen = recall("language");
  const preferred = navigator.languages.map((code) => code.slice(0, 2)).find(known);
  await speak(known(chosen) ? chosen : (preferred ?? "en"));
}

/** Keeps a choice of this browser; private windows may forbid that. */
export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`evenwatt.${name}`, value);
  } catch {
    // Without storage the choice holds until the page is closed.
  }
}

/** A choice that this browser kept. */
export function recall(name: string): string | null {
  try {
    return localStorage.getItem(`evenwatt.${name}`);
  } catch {
    return null;
  }
}
