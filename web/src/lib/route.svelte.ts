// Where the reader is: path and query of the address bar as state, and links that change them without loading a page.
export const route = $state({ path: location.pathname, query: location.search });

function read(): void {
  route.path = location.pathname;
  route.query = location.search;
}

/** Goes to an address of this app. */
export function go(href: string, { replace = false } = {}): void {
  const old = location.pathname;
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  read();
  if (location.pathname !== old) scrollTo(0, 0);
}

/** One value of the query, or the empty text. */
export function param(name: string): string {
  return new URLSearchParams(route.query).get(name) ?? "";
}

/** Changes some values of the query and leaves the others; empty ones are taken away. */
export function setParams(changes: Record<string, string | number | boolean | null>, { replace = false } = {}): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "" || value === null || value === false) query.delete(name);
    else query.set(name, String(value));
  }
  const text = query.toString();
  go(location.pathname + (text ? `?${text}` : ""), { replace });
}

/** Follows links inside one app and the back button; called once by its main.ts. */
export function follow(base: RegExp): void {
  addEventListener("popstate", read);
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin || !base.test(link.pathname)) return;
    if (link.hash && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

/** The parts of a path that match a pattern such as `/panel/stations/:id`, or nothing. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const given = path.replace(/\/+$/, "").split("/");
  if (wanted.length !== given.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [index, word] of wanted.entries()) {
    const got = given[index] ?? "";
    if (word.startsWith(":")) parts[word.slice(1)] = decodeURIComponent(got);
    else if (word !== got) return undefined;
  }
  return parts;
}
