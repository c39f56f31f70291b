// Rows as text: for the clipboard as tab-separated values, and the file name of a CSV.

/** A cell in one line, harmless in a spreadsheet: what it would run as a formula gets an apostrophe. */
export function cell(value: string): string {
  const line = value.replace(/[\t\r\n]+/g, " ");
  const isNumber = /^[+-]?\d+([.,]\d+)?$/.test(line);
  return !isNumber && /^[=+\-@]/.test(line) ? `'${line}` : line;
}

/** Rows with their headings, as a spreadsheet pastes them. */
export function tabSeparated(headings: string[], rows: string[][]): string {
  return [headings, ...rows].map((row) => row.map(cell).join("\t")).join("\n");
}

/** Copies a text, also on plain http, where browsers have no clipboard. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "off-screen";
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
