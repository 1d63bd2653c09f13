import "uplot/dist/uPlot.min.css";
import uPlot from "uplot";
import { niceStep, niceTicks, tickWords, timeTicks, timeWords } from "./axis.ts";
import { type ChartModel, structureOf } from "./chart-model.ts";
import { type Lane, scaleOfLane } from "./layout.ts";
import { type Frame, fontOf, paintOver, paintUnder } from "./paint.ts";
import { DASHES, penColour } from "./palette.ts";
import { fillEnvelope, strokeLine } from "./path.ts";
import type { PenView } from "./pen.ts";

/** Room around the plot, CSS px. The layout counts with it before there is a chart. */
export const PLOT = { top: 14, bottom: 44, figures: 58, right: 120, rightNarrow: 26, left: 8 } as const;

export const plotHeight = (height: number): number => Math.max(60, height - PLOT.top - PLOT.bottom);

const PEN_PX = 2;
const PALE = 0.45;

/**
 * One chart on one canvas. uPlot brings axes, scales and the order of drawing; the lines are ours, because a pen may
 * only be drawn where it claims something, and each pen keeps its own times.
 */
export class TrendChart {
  readonly #host: HTMLElement;
  #plot: uPlot | null = null;
  #structure = "";
  #model: ChartModel | null = null;

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  /** The plot inside the host, CSS px. */
  get box(): { left: number; top: number; width: number; height: number } {
    const ratio = uPlot.pxRatio;
    const box = this.#plot?.bbox ?? { left: 0, top: 0, width: 1, height: 1 };
    return {
      left: box.left / ratio,
      top: box.top / ratio,
      width: box.width / ratio,
      height: box.height / ratio,
    };
  }

  get canvas(): HTMLCanvasElement | null {
    return this.#plot?.ctx.canvas ?? null;
  }

  draw(model: ChartModel, width: number, height: number): void {
    this.#model = model;
    const structure = structureOf(model);
    if (this.#plot === null || structure !== this.#structure) {
      this.#plot?.destroy();
      this.#structure = structure;
      this.#plot = new uPlot(this.#options(model, width, height), blankData(model), this.#host);
    } else if (this.#plot.width !== width || this.#plot.height !== height) {
      this.#plot.setSize({ width, height });
    }
    const plot = this.#plot;
    const plotPx = plotHeight(height);
    plot.batch(() => {
      for (const lane of model.lanes) {
        if (lane.kind === "axis") plot.setScale(lane.key, scaleOfLane(lane, model.ranges[lane.key]!, plotPx));
      }
      plot.setScale("x", { min: model.window.fromMs, max: model.window.toMs });
    });
  }

  destroy(): void {
    this.#plot?.destroy();
    this.#plot = null;
  }

  #options(model: ChartModel, width: number, height: number): uPlot.Options {
    const axes = model.lanes.filter((lane) => lane.kind === "axis");
    const scale: uPlot.Scale = {
      time: false,
      auto: false,
      range: (_, min, max) => [min ?? 0, max ?? 1],
    };
    return {
      width,
      height,
      ms: 1,
      padding: [
        PLOT.top,
        model.wide ? PLOT.right : PLOT.rightNarrow,
        0,
        model.figured.length === 0 ? PLOT.left : 0,
      ],
      cursor: { show: false },
      legend: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      scales: { x: scale, ...Object.fromEntries(axes.map((lane) => [lane.key, scale])) },
      axes: [this.#timeAxis(model), ...this.#valueAxes(model, axes)],
      series: [{}, ...model.pens.flatMap((pen) => this.#seriesOf(model, pen))],
      hooks: {
        drawClear: [(plot) => this.#model !== null && paintUnder(frameOf(plot), this.#model)],
        draw: [(plot) => this.#model !== null && paintOver(frameOf(plot), this.#model)],
      },
    };
  }

  #timeAxis({ palette }: ChartModel): uPlot.Axis {
    const ticks = (plot: uPlot) => {
      const most = Math.max(2, Math.floor(plot.bbox.width / uPlot.pxRatio / 84));
      return timeTicks(this.#model!.window, most);
    };
    return {
      ...looks(palette),
      scale: "x",
      side: 2,
      size: PLOT.bottom,
      gap: 4,
      lineGap: 1.25,
      splits: (plot) => ticks(plot).at,
      values: (plot, at) => timeWords(at, ticks(plot).stepMs),
    };
  }

  #valueAxes(model: ChartModel, axes: readonly Lane[]): uPlot.Axis[] {
    const figured = axes.filter((lane) => model.figured.includes(lane.key));
    const lanes = new Set(figured.map((lane) => lane.top)).size > 1;
    return figured.map((lane, i) => {
      const find = () => this.#model!.lanes.find((one) => one.key === lane.key) ?? lane;
      const ticks = () => {
        const [low, high] = this.#model!.ranges[lane.key] ?? [0, 1];
        return niceTicks(low, high, Math.max(2, find().height / 44));
      };
      return {
        ...looks(model.palette),
        scale: lane.key,
        side: 3,
        // Stacked lanes share one column: uPlot puts an axis without a size onto the next one's place.
        size: lanes && i < figured.length - 1 ? 0 : PLOT.figures,
        gap: 2,
        grid: { show: lanes || i === 0, stroke: model.palette.rule, width: 1 },
        splits: ticks,
        values: (_, at) => withUnit(at, lane.unit),
      };
    });
  }

  #seriesOf(model: ChartModel, view: PenView): uPlot.Series[] {
    const lane = model.lanes.find((one) => one.kind === "axis" && one.tagNos.includes(view.pen.tagNo));
    if (lane === undefined) return [];
    const colour = penColour(model.palette, view.pen.style);
    const own = { tagNo: view.pen.tagNo, key: lane.key };
    const series: uPlot.Series = {
      scale: lane.key,
      stroke: colour,
      width: PEN_PX,
      dash: DASHES[view.pen.style]!.map((part) => part * uPlot.pxRatio),
      cap: DASHES[view.pen.style]!.length === 0 ? "round" : "butt",
      fill: colour.startsWith("#") ? `${colour}38` : "transparent",
      points: { show: false },
      auto: false,
      paths: (plot) => this.#paths(plot, own, false),
    };
    if (model.compareMs === null) return [series];
    const pale: uPlot.Series = {
      ...series,
      width: 1.5,
      alpha: PALE,
      fill: "transparent",
      paths: (plot) => this.#paths(plot, own, true),
    };
    return [pale, series];
  }

  #paths(plot: uPlot, own: { tagNo: number; key: string }, compared: boolean): uPlot.Series.Paths | null {
    const model = this.#model!;
    const view = model.pens.find(({ pen }) => pen.tagNo === own.tagNo);
    const lane = model.lanes.find(({ key }) => key === own.key);
    const line = compared ? view?.compared : view?.line;
    if (line === null || line === undefined || lane === undefined) return null;
    const shiftMs = compared ? (model.compareMs ?? 0) : 0;
    const window = { fromMs: model.window.fromMs - shiftMs, toMs: model.window.toMs - shiftMs };
    const { left, top, width, height } = plot.bbox;
    const { min, max } = plot.scales[own.key] as { min: number; max: number };
    const perMs = width / (window.toMs - window.fromMs);
    const places = {
      x: (timeMs: number) => left + (timeMs - window.fromMs) * perMs,
      y: (value: number) => top + ((max - value) / (max - min)) * height,
    };
    const stroke = new Path2D();
    strokeLine(line, window, places, stroke);
    const fill = new Path2D();
    const filled = !compared && fillEnvelope(line, window, places, fill);
    const clip = new Path2D();
    clip.rect(left, top + lane.top * uPlot.pxRatio - 1, width, lane.height * uPlot.pxRatio + 2);
    return { stroke, fill: filled ? fill : null, clip, flags: 0 };
  }
}

const blankData = (model: ChartModel): uPlot.AlignedData => {
  const lines = model.pens.filter(({ strip }) => !strip).length * (model.compareMs === null ? 1 : 2);
  return [[0, 1], ...Array.from({ length: lines }, () => [null, null])] as uPlot.AlignedData;
};

const looks = (palette: ChartModel["palette"]): uPlot.Axis => ({
  stroke: palette.text2,
  font: fontOf(12, 1),
  grid: { stroke: palette.rule, width: 1 },
  ticks: { stroke: palette.line, width: 1, size: 4 },
  space: 1,
  // Any step will do: the ticks are ours.
  incrs: (_, __, min, max) => [Math.max(Number.MIN_VALUE, max - min)],
});

/** Figures of an axis; the highest one carries the unit. */
function withUnit(at: readonly number[], unit: string): string[] {
  const step = at.length > 1 ? Math.abs(at[1]! - at[0]!) : niceStep(Math.abs(at[0] ?? 1) || 1, 4);
  return at.map((value, i) => {
    const words = tickWords(value, step);
    return i === at.length - 1 && unit !== "" ? `${words} ${unit}` : words;
  });
}

function frameOf(plot: uPlot): Frame {
  const { left, top, width, height } = plot.bbox;
  const { min, max } = plot.scales.x as { min: number; max: number };
  const x = (timeMs: number) => left + ((timeMs - min) / (max - min)) * width;
  return { ctx: plot.ctx, ratio: uPlot.pxRatio, left, top, width, height, x };
}
