// From the values of a form to the body of a request and back. Values are flat, by path: `address.city`.

export type Values = Record<string, unknown>;

const isObject = (value: unknown): value is Values => typeof value === "object" && value !== null && !Array.isArray(value);

/** What stands at a path of an object. */
export function at(object: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), object);
}

/** Puts a value at a path of an object, making what is missing on the way. */
export function put(object: Values, path: string, value: unknown): void {
  const names = path.split(".");
  const last = names.pop() as string;
  let inner = object;
  for (const name of names) {
    if (!isObject(inner[name])) inner[name] = {};
    inner = inner[name] as Values;
  }
  inner[last] = value;
}

/** Whether a form leaves this out. */
export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

/** The body that creates: everything that was filled in. */
export function created(values: Values): Values {
  const body: Values = {};
  for (const [path, value] of Object.entries(values)) if (!isEmpty(value)) put(body, path, value);
  return body;
}

/** The patch that leads from `before` to `values` (RFC 7396): what did not change is absent, what was emptied is null. */
export function patched(before: unknown, values: Values): Values {
  const body: Values = {};
  for (const [path, value] of Object.entries(values)) {
    const old = at(before, path);
    if (isEmpty(value) && isEmpty(old)) continue;
    if (!same(old, value)) put(body, path, isEmpty(value) ? null : difference(old, value));
  }
  return body;
}

/** What a patch says of one value: of an object only what changed within, of a list all. */
function difference(old: unknown, value: unknown): unknown {
  if (!isObject(old) || !isObject(value)) return value;
  const gone = Object.keys(old).filter((name) => !(name in value));
  const changed = Object.keys(value).filter((name) => !same(old[name], value[name]));
  return Object.fromEntries([...gone.map((name) => [name, null]), ...changed.map((name) => [name, difference(old[name], value[name])])]);
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** The faults that belong to a field: its own and those below it. */
export function faultsOf<F extends { field: string }>(faults: F[], path: string): F[] {
  return faults.filter(({ field }) => field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`));
}

/** Faults where the reader can see them: that of an object ("address: is required") stands at the first of its fields. */
export function placed<F extends { field: string }>(faults: F[], paths: string[]): F[] {
  return faults.map((fault) => {
    if (paths.some((path) => faultsOf([fault], path).length)) return fault;
    const first = paths.find((path) => path.startsWith(`${fault.field}.`));
    return first ? { ...fault, field: first } : fault;
  });
}
