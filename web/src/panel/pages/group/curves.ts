// The curves of a group's chart: what was drawn and granted, what it may draw, and what is planned, on one axis.
import { api, askPage, type Schemas } from "../../../api/client";
import type { t as translate } from "../../../i18n/t.svelte";
import type { Curve } from "../../../lib/chart";
import { align, type Series } from "../../../lib/series";

/** What an asset took over time, under its name; what it gave is below zero. */
export interface NamedSeries {
  name: string;
  series: Series;
}

export interface GroupHistory {
  power: Schemas["PowerView"][];
  plans: Schemas["PlanView"][];
  ahead: Schemas["ChargingPlanView"][];
  assets: NamedSeries[];
  now: number;
  hours: number;
}

const seconds = (at: string) => new Date(at).getTime() / 1000;

/** What members share of the connection: the rest is never handed out. */
export const usable = (group: Schemas["GroupView"]): number => group.maximum_capacity * (1 - group.buffer);

/** The power that the plans of all cars together have at each turning point ahead. */
export function planned(plans: Schemas["ChargingPlanView"][], now: number): Series {
  const hours = plans.flatMap((plan) => plan.hours.map(({ from, to, power }) => ({ from: seconds(from), to: seconds(to), power })));
  const times = [...new Set(hours.flatMap(({ from, to }) => [from, to]))].filter((at) => at >= now).sort((one, other) => one - other);
  if (hours.length) times.unshift(now);
  const values = times.map((at) => hours.filter(({ from, to }) => from <= at && at < to).reduce((sum, { power }) => sum + power, 0));
  return { times, values, isStep: true };
}

/** The readings of assets, as the load that they are. */
export function assetCurves(assets: Schemas["AssetStatusView"][], from: string, resolution: number): Promise<NamedSeries[]> {
  return Promise.all(
    assets.map(async ({ asset, name, type }) => {
      const query = { from, resolution, paginate_limit: 1000 } as never;
      const { result } = await askPage(api.GET("/v1.1/assets/{id}/readings", { params: { path: { id: asset }, query } }));
      const sign = type === "producer" || type === "battery" ? -1 : 1;
      const sorted = [...result].sort((one, other) => one.at.localeCompare(other.at));
      return { name, series: { times: sorted.map(({ at }) => seconds(at)), values: sorted.map(({ power }) => sign * power) } };
    }),
  );
}

/** How the lines of assets are told apart. */
const LINES: Pick<Curve, "tone" | "dash">[] = [
  { tone: "warn" },
  { tone: "ok", dash: [8, 4] },
  { tone: "muted" },
  { tone: "warn", dash: [8, 4] },
  { tone: "muted", dash: [8, 4] },
  { tone: "ok", dash: [2, 3] },
];

export function groupCurves(
  group: Schemas["GroupView"],
  status: Schemas["GroupStatusView"] | undefined,
  history: GroupHistory,
  t: typeof translate,
) {
  const now = history.now / 1000;
  const known = [...history.power.map(({ at }) => seconds(at)), ...history.plans.map(({ at }) => seconds(at))];
  // A group that is younger than the span fills the chart with what there is of it.
  const from = Math.max(now - history.hours * 3600, Math.min(now - 300, ...known));
  const plan = planned(history.ahead, now);
  const to = Math.max(plan.times.at(-1) ?? 0, now + (now - from) * 0.14);

  const plans = history.plans
    .map((one) => ({ at: seconds(one.at), budget: one.groups.find((budget) => budget.group === group._id) }))
    .filter(({ at, budget }) => budget && at <= now)
    .reverse();
  // A step that began before the chart is shown from its edge on; the last one holds until now and no longer.
  const steps = (of: (budget: Schemas["BudgetView"]) => number): Series => {
    const values = plans.map(({ budget }) => of(budget as Schemas["BudgetView"]));
    return {
      times: [...plans.map(({ at }) => Math.max(at, from)), now, now + 0.001],
      values: [...values, values.at(-1) ?? null, null],
      isStep: true,
    };
  };
  const constant = (value: number): Series => ({ times: [from, to], values: [value, value], isStep: true });

  const capacity = steps(({ capacity: value }) => value);
  // What holds now is what is known of the time ahead.
  capacity.times.push(to);
  capacity.values.splice(-2, 2, status?.capacity ?? null, status?.capacity ?? null, status?.capacity ?? null);
  const drawn: Series = { times: history.power.map(({ at }) => seconds(at)), values: history.power.map(({ power }) => power) };
  if (status) {
    drawn.times.push(now);
    drawn.values.push(status.drawn);
  }

  const shown: { series: Series; curve: Omit<Curve, "values"> }[] = [
    { series: drawn, curve: { name: t("group.drawn"), tone: "accent", fill: true } },
    { series: steps(({ granted }) => granted), curve: { name: t("group.granted"), tone: "ok", isStep: true } },
    { series: capacity, curve: { name: t("group.capacity"), tone: "text", isStep: true } },
    { series: constant(group.maximum_capacity), curve: { name: t("f.maximum_capacity"), tone: "bad", isStep: true, dash: [6, 4] } },
  ];
  if (group.buffer > 0)
    shown.push({ series: constant(usable(group)), curve: { name: t("group.usable"), tone: "warn", isStep: true, dash: [2, 3] } });
  if (plan.times.length) shown.push({ series: plan, curve: { name: t("group.planned"), tone: "muted", isStep: true, fill: true } });
  if (group.external_cap) {
    const until = Math.min(seconds(group.external_cap.until), to);
    const cap: Series = { times: [now, until], values: [group.external_cap.maximum_capacity, null], isStep: true };
    shown.push({ series: cap, curve: { name: t("group.cap"), tone: "bad", isStep: true } });
  }
  history.assets.forEach(({ name, series }, index) => {
    if (series.times.length) shown.push({ series, curve: { name, tone: "muted", ...LINES[index % LINES.length] } });
  });
  const aligned = align(shown.map(({ series }) => series));
  const curves = shown.map(({ curve }, index): Curve => ({ ...curve, values: aligned.values[index] ?? [] }));
  return { times: aligned.times, curves, now, range: [from, to] as [number, number] };
}
