// Why a limit is what it is, said from its code and values: in the reader's language, with the names of groups.
import type { Schemas } from "../api/client";
import { t, type Key } from "../i18n/t.svelte";
import { moment, number } from "./format";

export type Because = Schemas["Because"];

const kilowatts = (power: number) => `${number(power, 2)} kW`;
const amps = (current: number) => `${number(current, 1)} A`;

/** Of what there was too little. */
function scarceText(scarce: Schemas["Scarce"], groupName: (id: string) => string): string {
  switch (scarce.of) {
    case "group_power":
      return t("scarce.group_power", { power: kilowatts(scarce.power), group: groupName(scarce.group) });
    case "group_current":
    case "group_imbalance": {
      const { of, phase, current, group } = scarce;
      return t(`scarce.${of}`, { current: amps(current), phase, group: groupName(group) });
    }
    case "external_power":
      return t("scarce.external_power", { power: kilowatts(scarce.power) });
    case "external_current":
      return t("scarce.external_current", { current: amps(scarce.current), phase: scarce.phase });
  }
}

/** The sentence of a reason; none for a code that these pages do not know. */
export function becauseText(because: Because, groupName: (id: string) => string): string | undefined {
  switch (because.code) {
    case "at_maximum":
    case "can_wait":
    case "no_session":
    case "exclusion_window":
    case "not_in_tree":
      return t(`why.${because.code}`);
    case "learned_demand":
      return t("why.learned_demand", { demand: kilowatts(because.demand) });
    case "rising":
      return t("why.rising", { at: moment(because.next_at) });
    case "shared":
      return t("why.shared", { scarce: scarceText(because.scarce, groupName), count: because.sharing });
    case "unchanged":
      return t("why.unchanged", { wanted: kilowatts(because.wanted) });
    case "queued": {
      const { position, minimum, scarce } = because;
      return t("why.queued", { position, minimum: kilowatts(minimum), scarce: scarceText(scarce, groupName) });
    }
    case "minimum_does_not_fit":
      return t("why.minimum_does_not_fit", { minimum: kilowatts(because.minimum), scarce: scarceText(because.scarce, groupName) });
    case "off_time":
    case "waiting_for_headroom":
    case "cheaper_later":
      return t(`why.${because.code}`, { until: moment(because.until) });
    case "unsatisfiable":
      return t("why.unsatisfiable", { minimum: kilowatts(because.minimum), maximum: kilowatts(because.maximum) });
    case "suspended_by_vehicle":
      return because.kept_until ? t("why.suspended_kept", { until: moment(because.kept_until) }) : t("why.suspended_by_vehicle");
    case "reserved":
      return t("why.reserved", { cause: t(`why_not.${because.why}`), reserved: kilowatts(because.reserved) });
    default:
      return undefined;
  }
}

/** Where a connector stands in the queue; last where it is not in it. */
export const queuePosition = (because: Because | null | undefined): number =>
  because?.code === "queued" ? because.position : Number.MAX_SAFE_INTEGER;

/** From when on a car waits: a limit of nothing may be older than the session. Nobody knows before the session is read. */
export function waitsFrom(since: string | null | undefined, began: string | null | undefined): number | undefined {
  return began ? Math.max(Date.parse(since ?? began), Date.parse(began)) : undefined;
}

/** Warnings that say the same of every group, station or asset; those with figures are sentences (see `sentenceText`). */
const FIXED_WARNINGS = [
  "minimum_exceeds_capacity",
  "charges_without_session",
  "never_connected",
  "not_a_member",
  "refuses_zero",
  "refuses_limits",
  "not_obeying",
  "composite_schedule_differs",
  "fallback_unproven",
  "asset_without_data",
] as const;

/** What a warning of a group says, where it says the same each time. */
export function warningText(code: string): string | undefined {
  const known = FIXED_WARNINGS.find((fixed) => fixed === code);
  return known && t(`warning.${known}` satisfies Key);
}
