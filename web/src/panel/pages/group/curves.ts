// The curves of a group's chart: what was drawn and granted, what it may draw, and what is planned, on one axis.
import type { Schemas } from "../../../api/client";
import type { t as translate } from "../../../i18n/t.svelte";
import type { Curve } from "../../../lib/chart";
import { align, type Series } from "../../../lib/series";

export interface GroupHistory {
  timeline: Schemas["TimelineView"];
  /** When it was asked for, in seconds. */
  now: number;
  /** How far back, in hours. */
  hours: number;
}

/** Assets with lines of their own at most: more cannot be told apart. */
const MOST_ASSETS = 6;

type Values = (number | null)[];

const seconds = (at: string) => new Date(at).getTime() / 1000;

/** What members share of the connection: the rest is never handed out. */
export const usable = (group: Schemas["GroupView"]): number => group.maximum_capacity * (1 - group.buffer);

/** How the lines of assets are told apart. */
const LINES: Pick<Curve, "tone" | "dash">[] = [
  { tone: "warn" },
  { tone: "ok", dash: [8, 4] },
  { tone: "muted" },
  { tone: "warn", dash: [8, 4] },
  { tone: "muted", dash: [8, 4] },
  { tone: "ok", dash: [2, 3] },
];

/** Where the chart begins: a group that is younger than the span fills it with what there is of it. */
export function begins({ timeline, now, hours }: GroupHistory): number {
  const first = timeline.drawn.findIndex((value, index) => value !== null || timeline.granted[index] !== null);
  const known = first < 0 ? now : seconds(timeline.from) + first * timeline.resolution;
  return Math.max(now - hours * 3600, Math.min(now - 300, known));
}

/** The means of the spans that have begun, until now; the newest span is not over, so that what is known now stands for it. */
export function past({ timeline, now }: GroupHistory, values: Values, current?: number | null): Series {
  const from = seconds(timeline.from);
  const begun = values.map((value, index) => ({ at: from + index * timeline.resolution, value })).filter(({ at }) => at < now);
  return {
    times: [...begun.map(({ at }) => at), now, now + 0.001],
    values: [...begun.map(({ value }) => value), current ?? begun.at(-1)?.value ?? null, null],
    isStep: true,
  };
}

/** What is planned in the spans that are not over. */
export function ahead({ timeline, now }: GroupHistory, values: Values): Series {
  const from = seconds(timeline.from);
  const spans = values.map((value, index) => ({ at: from + index * timeline.resolution, value }));
  const known = spans.filter(({ at, value }) => value !== null && at + timeline.resolution > now);
  const end = known.at(-1);
  if (!end) return { times: [], values: [] };
  return {
    times: [...known.map(({ at }) => Math.max(at, now)), end.at + timeline.resolution],
    values: [...known.map(({ value }) => value), null],
    isStep: true,
  };
}

export function groupCurves(
  group: Schemas["GroupView"],
  status: Schemas["GroupStatusView"] | undefined,
  history: GroupHistory,
  t: typeof translate,
) {
  const { timeline, now } = history;
  const from = begins(history);
  const plan = ahead(history, timeline.planned);
  const to = Math.max(plan.times.at(-1) ?? 0, now + (now - from) * 0.14);
  const constant = (value: number): Series => ({ times: [from, to], values: [value, value], isStep: true });

  // What holds now is what is known of the time ahead.
  const capacity = past(history, timeline.usable, status?.capacity);
  capacity.times.push(to);
  capacity.values.splice(-1, 1, status?.capacity ?? null, status?.capacity ?? null);
  const maximum = timeline.capacity.map((value) => value ?? group.maximum_capacity);
  const limit: Series = {
    times: [from, ...maximum.map((_, index) => Math.max(from, seconds(timeline.from) + index * timeline.resolution)), to],
    values: [maximum[0] ?? group.maximum_capacity, ...maximum, maximum.at(-1) ?? group.maximum_capacity],
    isStep: true,
  };

  const shown: { series: Series; curve: Omit<Curve, "values"> }[] = [
    { series: past(history, timeline.drawn, status?.drawn), curve: { name: t("group.drawn"), tone: "accent", isStep: true, fill: true } },
    { series: past(history, timeline.granted, status?.granted), curve: { name: t("group.granted"), tone: "ok", isStep: true } },
    { series: capacity, curve: { name: t("group.capacity"), tone: "text", isStep: true } },
    { series: limit, curve: { name: t("f.maximum_capacity"), tone: "bad", isStep: true, dash: [6, 4] } },
  ];
  if (group.buffer > 0)
    shown.push({ series: constant(usable(group)), curve: { name: t("group.usable"), tone: "warn", isStep: true, dash: [2, 3] } });
  if (plan.times.length) shown.push({ series: plan, curve: { name: t("group.planned"), tone: "muted", isStep: true, fill: true } });
  if (group.external_cap) {
    const until = Math.min(seconds(group.external_cap.until), to);
    const cap: Series = { times: [now, until], values: [group.external_cap.maximum_capacity, null], isStep: true };
    shown.push({ series: cap, curve: { name: t("group.cap"), tone: "bad", isStep: true } });
  }
  timeline.assets
    .filter(({ load }) => load.some((value) => value !== null))
    .slice(0, MOST_ASSETS)
    .forEach(({ asset, name, load }, index) => {
      const current = status?.assets.find((one) => one.asset === asset)?.load;
      shown.push({ series: past(history, load, current), curve: { name, tone: "muted", isStep: true, ...LINES[index] } });
    });
  const aligned = align(shown.map(({ series }) => series));
  const curves = shown.map(({ curve }, index): Curve => ({ ...curve, values: aligned.values[index] ?? [] }));
  return { times: aligned.times, curves, now, range: [from, to] as [number, number] };
}
