// By what stations are filtered: the list does, and the sheet of labels is made of what it shows.
import type { Filter } from "../../../ui/list";
import { CONNECTOR_STATUS, OPERATIONAL_STATUS, PROTOCOLS, YES_NO } from "../../forms/options";

export const STATION_FILTERS: Filter[] = [
  { name: "online", label: "f.online", kind: "select", options: YES_NO },
  { name: "late", label: "f.late", kind: "select", options: YES_NO },
  { name: "obeying", label: "f.obeying", kind: "select", options: YES_NO },
  { name: "status", label: "f.status", kind: "select", options: CONNECTOR_STATUS, words: "status" },
  { name: "operational_status", label: "f.operational_status", kind: "select", options: OPERATIONAL_STATUS, words: "status" },
  { name: "location", label: "f.location", kind: "ref", ref: "location" },
  { name: "group", label: "f.group", kind: "ref", ref: "group" },
  { name: "in_group", label: "f.in_group", kind: "select", options: YES_NO },
  { name: "public", label: "f.public", kind: "select", options: YES_NO },
  { name: "visible", label: "f.visible", kind: "select", options: YES_NO },
  { name: "protocol", label: "f.protocol", kind: "select", options: PROTOCOLS },
];

/** The part of an address that filters stations, for a link to the same ones elsewhere. */
export function filteredBy(address: URLSearchParams): string {
  const kept = [...address].filter(([name, value]) => value && (name === "q" || STATION_FILTERS.some((filter) => filter.name === name)));
  return new URLSearchParams(kept).toString();
}
