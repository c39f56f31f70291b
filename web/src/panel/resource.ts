// What is declared of a resource once, for its list and for its page.
import type { ListPath, RowOf } from "../api/client";
import type { Values } from "../lib/body";
import type { Section } from "../ui/form";

export interface Resource<P extends ListPath> {
  /** Its list in the API. */
  path: P;
  /** Its list in the panel; with an id behind it, the page of one. */
  page: string;
  /** Its texts are `nav.<words>`, `one.<words>` and `<words>.empty`. */
  words: Words;
  /** `write:<scope>` lets change it. */
  scope: string;
  /** New ones are made by who works at every location. */
  everywhere?: boolean;
  name: (row: RowOf<P>) => string;
  /** The fields of its form, and those of an update where they are others. */
  sections: Section[];
  updates?: Section[];
  /** What a new one begins with. */
  initial?: Values;
  /** Events whose objects replace the rows that are shown. */
  events?: string[];
  /** Its form needs room. */
  wide?: boolean;
}

type Words =
  | "api_keys"
  | "assets"
  | "groups"
  | "home_users"
  | "locations"
  | "networks"
  | "offers"
  | "operators"
  | "profiles"
  | "rates"
  | "reservations"
  | "schedules"
  | "sessions"
  | "stations"
  | "templates"
  | "tokens"
  | "users"
  | "webhooks";

export const resource = <P extends ListPath>(declared: Resource<P>): Resource<P> => declared;

/** The page of one. */
export const pageOfRow = (of: { page: string }, row: { _id: string }): string => `${of.page}/${row._id}`;
