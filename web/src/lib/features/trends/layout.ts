import type { TrendPen } from "@millrace/contract/api/trend";
import type { PenLine } from "../../history/line.ts";
import { niceRange } from "./axis.ts";
import type { TimeWindow } from "./range.ts";
import type { Layout } from "./url-state.ts";

/** What the layout has to know of a pen. */
export interface LayoutPen {
  pen: TrendPen;
  unit: string;
  /** Texts and booleans: words instead of a line. */
  strip: boolean;
}

/** One value axis, at its place in the plot. Places are px from the plot's upper edge. */
export interface Lane {
  /** `unit:bar`, or `pen:12` when each pen has its own. */
  key: string;
  unit: string;
  kind: "axis" | "strip";
  top: number;
  height: number;
  tagNos: number[];
}

export const STRIP_PX = 36;
const STRIP_GAP_PX = 6;
const LANE_GAP_PX = 10;
const LANE_PX_MIN = 48;

/** Where each axis and each strip stands. Hidden pens take no room. */
export function lanesOf(pens: readonly LayoutPen[], layout: Layout, plotPx: number): Lane[] {
  const shown = pens.filter(({ pen }) => pen.hidden !== true);
  const strips = shown.filter(({ strip }) => strip);
  const lines = shown.filter(({ strip }) => !strip);
  const stripsPx = strips.length * (STRIP_PX + STRIP_GAP_PX);
  const linesPx = Math.max(LANE_PX_MIN, plotPx - stripsPx);
  const lanes = layout === "stacked" ? stackedLanes(lines, linesPx) : sharedLanes(lines, linesPx);
  const stripsTop = lines.length === 0 ? 0 : linesPx;
  strips.forEach(({ pen }, i) => {
    const top = stripsTop + i * (STRIP_PX + STRIP_GAP_PX) + STRIP_GAP_PX / 2;
    lanes.push({
      key: `pen:${pen.tagNo}`,
      unit: "",
      kind: "strip",
      top,
      height: STRIP_PX,
      tagNos: [pen.tagNo],
    });
  });
  return lanes;
}

function sharedLanes(lines: readonly LayoutPen[], height: number): Lane[] {
  const byUnit = new Map<string, Lane>();
  for (const { pen, unit } of lines) {
    const key = `unit:${unit}`;
    const lane = byUnit.get(key) ?? { key, unit, kind: "axis", top: 0, height, tagNos: [] };
    lane.tagNos.push(pen.tagNo);
    byUnit.set(key, lane);
  }
  return [...byUnit.values()];
}

function stackedLanes(lines: readonly LayoutPen[], height: number): Lane[] {
  const each = height / Math.max(1, lines.length);
  return lines.map(({ pen, unit }, i) => ({
    key: `pen:${pen.tagNo}`,
    unit,
    kind: "axis",
    top: i * each,
    height: each - (i < lines.length - 1 ? LANE_GAP_PX : 0),
    tagNos: [pen.tagNo],
  }));
}

/** Lowest and highest figure of a line inside a window; infinite the wrong way round when it has none. */
export function extent(line: PenLine, window: TimeWindow): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < line.points.length; i++) {
    const point = line.points[i]!;
    if (point.timeMs > window.toMs) break;
    if (point.y === null || (line.untilMs[i]! < window.fromMs && point.timeMs < window.fromMs)) continue;
    low = Math.min(low, point.low ?? point.y);
    high = Math.max(high, point.high ?? point.y);
  }
  return [low, high];
}

/** What an axis shows: fixed limits where a pen has them, else room around its data. */
export function axisRange(
  pens: readonly TrendPen[],
  extents: readonly (readonly [number, number])[],
): [number, number] {
  const [low, high] = niceRange(
    Math.min(...extents.map((one) => one[0])),
    Math.max(...extents.map((one) => one[1])),
  );
  const lows = pens.flatMap((pen) => (pen.low === undefined ? [] : [pen.low]));
  const highs = pens.flatMap((pen) => (pen.high === undefined ? [] : [pen.high]));
  const from = lows.length > 0 ? Math.min(...lows) : low;
  const to = highs.length > 0 ? Math.max(...highs) : high;
  return to > from ? [from, to] : [from, from + 1];
}

/** The scale of the whole plot that puts [low, high] into the lane: all lanes share one canvas. */
export function scaleOfLane(
  lane: Pick<Lane, "top" | "height">,
  [low, high]: readonly [number, number],
  plotPx: number,
): { min: number; max: number } {
  const perPx = (high - low) / lane.height;
  return { max: high + lane.top * perPx, min: low - (plotPx - lane.top - lane.height) * perPx };
}

/** An axis zoomed about a value that stays where it is. */
export function zoomAxis(
  [low, high]: readonly [number, number],
  atShare: number,
  factor: number,
): [number, number] {
  const at = low + (high - low) * atShare;
  const span = Math.max(Number.EPSILON * Math.max(1, Math.abs(at)) * 8, (high - low) / factor);
  return [at - span * atShare, at + span * (1 - atShare)];
}

/** Moves labels apart so that none covers another, each as near to its wish as the others allow. */
export function spread(wishes: readonly number[], distance: number, top: number, bottom: number): number[] {
  const order = wishes.map((_, i) => i).toSorted((a, b) => wishes[a]! - wishes[b]!);
  const placed = [...wishes];
  let edge = top;
  for (const i of order) {
    placed[i] = Math.max(wishes[i]!, edge);
    edge = placed[i]! + distance;
  }
  edge = bottom;
  for (const i of order.toReversed()) {
    placed[i] = Math.min(placed[i]!, edge);
    edge = placed[i]! - distance;
  }
  return placed;
}
