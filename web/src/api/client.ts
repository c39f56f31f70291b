// The one place that talks to the API: cookie session, CSRF header, the envelope, and what went wrong.
import createClient, { type Middleware } from "openapi-fetch";

import type { components, paths } from "../../gen/schema";

export type Schemas = components["schemas"];

/** A fault of one field of a body or query. */
export interface Fault {
  field: string;
  /** What kind of fault, for programs. */
  code: string;
  message: string;
}

/** What the API answered instead of a result: `message` in English, `code` for programs; `lib/problems.ts` says it to the reader. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly faults: Fault[] = [],
    readonly requestId = "",
  ) {
    super(message);
  }
}

/** What a list answers beside its rows. */
export interface Page<T> {
  result: T[];
  totalDocs: number;
  totalIsExact: boolean;
  page: number;
  totalPages: number;
  limit: number;
}

let csrf = "";
let onLoggedOut = () => {};

/** Takes over the token that proves to the API that a change comes from these pages. */
export function setCsrfToken(token: string): void {
  csrf = token;
}

/** Says what happens when the session is over. */
export function whenLoggedOut(act: () => void): void {
  onLoggedOut = act;
}

const guard: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET" && csrf) request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
  onResponse({ response }) {
    if (response.status === 401) onLoggedOut();
    return response;
  },
};

/** Every call of the public API, typed by its OpenAPI document. */
export const api = createClient<paths>({ baseUrl: "", credentials: "same-origin" });
api.use(guard);

interface Answer {
  data?: unknown;
  error?: unknown;
  response: Response;
}

/** The problem behind an answer that is no success. */
export function problemOf(status: number, body: unknown): Problem {
  const said = (body ?? {}) as { message?: string; code?: string; errors?: Fault[]; request_id?: string };
  return new Problem(said.message ?? "", status, said.code ?? "unknown", said.errors ?? [], said.request_id);
}

/** Waits for a call; gives the whole envelope or throws a Problem. */
async function envelope<A extends Answer>(call: Promise<A>): Promise<NonNullable<A["data"]>> {
  let answer: A;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem("The server cannot be reached.", 0, "unreachable");
  }
  if (answer.response.ok) return answer.data as NonNullable<A["data"]>;
  throw problemOf(answer.response.status, answer.error);
}

type Result<D> = D extends { result: infer R } ? R : never;

/** Waits for a call; gives its `result` or throws a Problem. */
export async function ask<A extends Answer>(call: Promise<A>): Promise<Result<NonNullable<A["data"]>>> {
  return ((await envelope(call)) as unknown as { result: Result<NonNullable<A["data"]>> }).result;
}

/** Waits for a list; gives its rows with what is known of its pages, or throws a Problem. */
export async function askPage<A extends Answer>(call: Promise<A>): Promise<Extract<NonNullable<A["data"]>, { result: unknown }>> {
  return (await envelope(call)) as Extract<NonNullable<A["data"]>, { result: unknown }>;
}

/** A call by its bare path: for what the OpenAPI document does not have yet (API-NEEDED.md), for lists by name, and for files. */
export async function call<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  const isFile = body instanceof Blob;
  if (body !== undefined && !isFile) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      signal,
      credentials: "same-origin",
      body: body === undefined || isFile ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem("The server cannot be reached.", 0, "unreachable");
  }
  const read: unknown = await response.json().catch(() => undefined);
  if (response.status === 401) onLoggedOut();
  if (!response.ok) throw problemOf(response.status, read);
  return read as T;
}

type JsonOf<P> = P extends { get: { responses: { 200: { content: { "application/json": infer J } } } } } ? J : never;

/** The paths that answer pages of rows. */
export type ListPath = { [P in keyof paths]: JsonOf<paths[P]> extends { totalDocs: number } ? P : never }[keyof paths];

type Rows<J> = J extends { result: (infer R)[] } ? R : never;

/** What the rows of a list are. */
export type RowOf<P extends ListPath> = P extends keyof paths ? Rows<JsonOf<paths[P]>> : never;

/** A page of a list; `path` may have an id in it already. */
export function list<T>(path: string, query: Record<string, string | number | boolean>, signal?: AbortSignal): Promise<Page<T>> {
  return call<Page<T>>("GET", `${path}?${queryString(query)}`, undefined, signal);
}

/** A query without its empty values. */
export function queryString(query: Record<string, string | number | boolean | null | undefined>): string {
  const kept = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
}
