// A chart over time without a framework: uPlot, in the colours of the page, with named lines and the present moment.
import "uplot/dist/uPlot.min.css";

import uPlot from "uplot";

export type Tone = "accent" | "muted" | "ok" | "warn" | "bad" | "text";

export interface Curve {
  name: string;
  values: (number | null)[];
  tone: Tone;
  isStep?: boolean;
  fill?: boolean;
  dash?: number[];
}

export interface ChartData {
  times: number[];
  curves: Curve[];
  /** Where past ends and plan begins, in seconds. */
  now?: number;
  /** The moment that is explained, in seconds. */
  pinned?: number;
  range?: [number, number];
}

export interface ChartOptions {
  unit: string;
  height: number;
  language: string;
  onMoment: (time: number | undefined) => void;
  onPick: (time: number) => void;
}

export class TimeChart {
  #plot: uPlot | undefined;
  #data: ChartData = { times: [], curves: [] };
  #shape = "";
  readonly #observer: ResizeObserver;

  constructor(
    private readonly box: HTMLElement,
    private readonly options: ChartOptions,
  ) {
    this.#observer = new ResizeObserver(() => this.#plot?.setSize({ width: this.box.clientWidth, height: options.height }));
    this.#observer.observe(box);
  }

  /** Shows these curves; the plot is made anew only where other curves are shown. */
  show(data: ChartData): void {
    this.#data = data;
    const shape = JSON.stringify([
      data.curves.map(({ name, tone, isStep, fill, dash }) => [name, tone, isStep, fill, dash]),
      this.#color("text"),
    ]);
    if (shape !== this.#shape || !this.#plot) this.#make(shape);
    this.#plot?.setData([data.times, ...data.curves.map(({ values }) => values)] as uPlot.AlignedData, false);
    this.#plot?.setScale("x", this.#range());
  }

  close(): void {
    this.#observer.disconnect();
    this.#plot?.destroy();
  }

  #range(): { min: number; max: number } {
    const [min, max] = this.#data.range ?? [this.#data.times[0] ?? 0, this.#data.times.at(-1) ?? 1];
    return { min, max };
  }

  #color(tone: Tone | "line" | "card"): string {
    return getComputedStyle(this.box).getPropertyValue(`--${tone}`);
  }

  #make(shape: string): void {
    this.#plot?.destroy();
    this.#shape = shape;
    const { unit, height, language, onMoment, onPick } = this.options;
    const grid = { stroke: this.#color("line"), width: 1 };
    const axis = { stroke: this.#color("muted"), grid, ticks: { ...grid, size: 4 }, font: "12px Inter, system-ui, sans-serif" };
    const time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
    const exact = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
    const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
    this.#plot = new uPlot(
      {
        width: this.box.clientWidth,
        height,
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, points: { size: 7 } },
        scales: {
          x: { range: () => [this.#range().min, this.#range().max] },
          y: { range: (_plot, min, max) => [Math.min(0, min ?? 0), Math.max(max ?? 1, 1) * 1.08] },
        },
        axes: [
          {
            ...axis,
            size: 32,
            values: (_plot, splits, _index, _space, step) =>
              splits.map((at) => (step >= 86_400 ? day : step < 60 ? exact : time).format(at * 1000)),
          },
          {
            ...axis,
            size: 64,
            values: (_plot, splits) => splits.map((value) => `${new Intl.NumberFormat(language).format(value)} ${unit}`),
          },
        ],
        series: [{}, ...this.#data.curves.map((curve) => this.#series(curve))],
        hooks: {
          draw: [(plot) => this.#drawMoments(plot)],
          setCursor: [
            (plot) => onMoment(plot.cursor.left != null && plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, "x") : undefined),
          ],
        },
      },
      [this.#data.times, ...this.#data.curves.map(({ values }) => values)] as uPlot.AlignedData,
      this.box,
    );
    const plot = this.#plot;
    plot.over.addEventListener("click", () => plot.cursor.left != null && onPick(plot.posToVal(plot.cursor.left, "x")));
  }

  #series({ name, tone, isStep, fill, dash }: Curve): uPlot.Series {
    const stroke = this.#color(tone);
    return {
      label: name,
      stroke,
      width: fill ? 2 : 1.6,
      dash,
      fill: fill ? `color-mix(in srgb, ${stroke} 16%, transparent)` : undefined,
      spanGaps: true,
      points: { show: false },
      paths: isStep ? uPlot.paths.stepped?.({ align: 1 }) : undefined,
    };
  }

  #drawMoments(plot: uPlot): void {
    const { now, pinned } = this.#data;
    const { left, width, top, height } = plot.bbox;
    const draw = (at: number, color: string, dash: number[]) => {
      const x = plot.valToPos(at, "x", true);
      if (x < left || x > left + width) return;
      plot.ctx.save();
      plot.ctx.strokeStyle = color;
      plot.ctx.lineWidth = devicePixelRatio;
      plot.ctx.setLineDash(dash);
      plot.ctx.beginPath();
      plot.ctx.moveTo(x, top);
      plot.ctx.lineTo(x, top + height);
      plot.ctx.stroke();
      plot.ctx.restore();
    };
    if (now) draw(now, this.#color("muted"), [4, 4]);
    if (pinned) draw(pinned, this.#color("accent"), []);
  }
}
