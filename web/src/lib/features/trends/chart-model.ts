import type { Annotation } from "@millrace/contract/api/trend";
import { type PlacedBands, placeBands } from "./bands.ts";
import { axisRange, extent, type Lane, lanesOf } from "./layout.ts";
import type { Palette } from "./palette.ts";
import type { PenView } from "./pen.ts";
import type { TimeWindow } from "./range.ts";
import type { Layout } from "./url-state.ts";

export interface Cover extends TimeWindow {
  words: string;
  kind: "pending" | "absent";
}

/** Everything one picture of the chart is made of. */
export interface ChartModel {
  window: TimeWindow;
  pens: readonly PenView[];
  lanes: readonly Lane[];
  /** What each axis shows, by its key. */
  ranges: Readonly<Record<string, readonly [number, number]>>;
  /** Axes that have room for figures at the left. */
  figured: readonly string[];
  bands: readonly { lane: Lane; placed: PlacedBands }[];
  covers: readonly Cover[];
  annotations: readonly Annotation[];
  compareMs: number | null;
  palette: Palette;
  /** Names beside the letters at the right end. */
  wide: boolean;
  /** Where the values end when they do not move any more; null while they do. */
  stoppedMs: number | null;
  stoppedWords: string;
}

export interface ModelInput {
  window: TimeWindow;
  pens: readonly PenView[];
  layout: Layout;
  zoomed: Readonly<Record<string, readonly [number, number]>>;
  selected: number | null;
  compareMs: number | null;
  covers: readonly Cover[];
  annotations: readonly Annotation[];
  palette: Palette;
  plotPx: number;
  wide: boolean;
  stoppedMs: number | null;
  stoppedWords: string;
}

/** Units whose figures fit beside a chart. */
const FIGURED_WIDE = 3;
const FIGURED_NARROW = 1;

export function modelOf(input: ModelInput): ChartModel {
  const pens = input.pens.filter(({ pen }) => pen.hidden !== true);
  const lanes = lanesOf(
    pens.map(({ pen, tag, strip }) => ({ pen, unit: tag?.unit ?? "", strip })),
    input.layout,
    input.plotPx,
  );
  const ofLane = (lane: Lane) => pens.filter(({ pen }) => lane.tagNos.includes(pen.tagNo));
  const ranges: Record<string, readonly [number, number]> = {};
  for (const lane of lanes) {
    if (lane.kind === "axis") ranges[lane.key] = input.zoomed[lane.key] ?? rangeOf(ofLane(lane), input);
  }
  const { window, covers, annotations, compareMs, palette, wide, stoppedMs, stoppedWords } = input;
  return {
    window,
    pens,
    lanes,
    ranges,
    figured: figuredOf(lanes, input),
    bands: areasOf(lanes).map((lane) => ({
      lane,
      placed: placeBands(ofLane(lane).map(({ pen, line }) => ({ tagNo: pen.tagNo, line }))),
    })),
    covers,
    annotations,
    compareMs,
    palette,
    wide,
    stoppedMs,
    stoppedWords,
  };
}

function rangeOf(pens: readonly PenView[], { window, compareMs }: ModelInput): readonly [number, number] {
  const extents = pens.flatMap(({ line, compared }) => {
    const own = line === null ? [] : [extent(line, window)];
    if (compared === null || compareMs === null) return own;
    const back = { fromMs: window.fromMs - compareMs, toMs: window.toMs - compareMs };
    return [...own, extent(compared, back)];
  });
  return axisRange(
    pens.map(({ pen }) => pen),
    extents,
  );
}

/** The selected pen's axis always has figures; the others as far as there is room. */
function figuredOf(lanes: readonly Lane[], input: ModelInput): string[] {
  const axes = lanes.filter((lane) => lane.kind === "axis");
  if (input.layout === "stacked") return axes.map((lane) => lane.key);
  const first = axes.filter((lane) => input.selected !== null && lane.tagNos.includes(input.selected));
  const rest = axes.filter((lane) => !first.includes(lane));
  return [...first, ...rest].slice(0, input.wide ? FIGURED_WIDE : FIGURED_NARROW).map((lane) => lane.key);
}

/** Lanes on the same place are one area: its bands are drawn once, of all its pens. */
function areasOf(lanes: readonly Lane[]): Lane[] {
  const areas: Lane[] = [];
  for (const lane of lanes) {
    const same = areas.find((area) => area.top === lane.top && area.height === lane.height);
    if (same === undefined) areas.push({ ...lane, tagNos: [...lane.tagNos] });
    else same.tagNos.push(...lane.tagNos);
  }
  return areas;
}

/** Whether a chart can keep its canvas: the same pens on the same axes, in the same colours. */
export function structureOf(model: ChartModel): string {
  const lanes = model.lanes.map((lane) => `${lane.key}@${lane.kind}:${lane.tagNos.join("+")}`);
  const pens = model.pens.map(({ pen }) => `${pen.tagNo}.${pen.style}`);
  return [
    ...lanes,
    ...pens,
    model.figured.join("+"),
    model.palette.ground,
    model.wide,
    model.compareMs !== null,
  ].join("|");
}

/**
 * Whether anything of a pen lies inside the window, whole answer and live values together. The samples beside the range,
 * which only carry a pen to the edge, do not count.
 */
export const hasPoints = ({ history, line }: PenView, { fromMs, toMs }: TimeWindow): boolean =>
  [...(history?.points ?? []), ...(line?.points ?? [])].some(
    ({ timeMs }) => timeMs > fromMs - (history?.intervalMs ?? 0) && timeMs < toMs,
  );
