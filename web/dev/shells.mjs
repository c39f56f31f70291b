// Which shell answers which path; the Rust server does the same.

/** Paths that are files and not pages. */
const FILES = /^\/(assets|src|node_modules|@|\.svelte)|\.[a-z0-9]+$/;

/** @param {string} url @returns {"panel" | "portal" | "driver" | undefined} */
export function shellOf(url) {
  const { pathname } = new URL(url, "http://localhost");
  if (FILES.test(pathname)) return undefined;
  if (/^\/panel(\/|$)/.test(pathname)) return "panel";
  if (/^\/portal(\/|$)/.test(pathname)) return "portal";
  if (/^\/(map|e)(\/|$)/.test(pathname)) return "driver";
  return undefined;
}
