// Light, dark, or as the device has it.
import { recall, remember } from "../i18n/t.svelte";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const theme = $state<{ chosen: Theme }>({ chosen: "auto" });

/** Shows the pages so from now on, and remembers it. */
export function setTheme(chosen: Theme): void {
  theme.chosen = chosen;
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  remember("theme", chosen);
}

/** Shows the pages as they were chosen before. */
export function setFirstTheme(): void {
  const known = recall("theme");
  setTheme(known === "light" || known === "dark" ? known : "auto");
}
