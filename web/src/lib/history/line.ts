import type { GapCauseName } from "@millrace/contract/api/gap";
import { gapWords } from "../state/gap-words.ts";
import { qualityWords } from "../state/quality-words.ts";
import type { HistoryPoint, PenHistory } from "./columns.ts";

/**
 * Why a stretch of a pen is not simply a line. `gap`: known to be missing. `unknown`: nothing came, nobody said why.
 * `bad` and `uncertain`: what came says so itself. `thinned`: only one-minute figures came.
 */
export type BandKind = "gap" | "unknown" | "bad" | "uncertain" | "thinned";
export interface Band {
  kind: BandKind;
  fromMs: number;
  toMs: number;
  /** Cause in words, for a person. */
  words: string;
}

/** Points that are connected. `untilMs`: how far the last value is claimed to stand. */
export interface Segment {
  from: number;
  /** Behind the last index. */
  to: number;
  untilMs: number;
}

/** A pen ready to be drawn: every claim it makes about the plant is in here, and none else. */
export interface PenLine {
  step: boolean;
  intervalMs: number;
  points: readonly HistoryPoint[];
  /** Until when each point stands for the pen. */
  untilMs: readonly number[];
  segments: Segment[];
  bands: Band[];
}

export interface LineFacts {
  /** Without a sample for so long nothing is claimed any more: three heartbeats of the tag. */
  staleAfterMs: number;
  /** Nothing is claimed beyond this time. */
  nowMs: number;
  /** The live socket is heard, so what it does not bring has not come. Without it nothing is known after the answer. */
  listening: boolean;
  /** Why nothing comes just now, when it is known: the gateway is away. */
  awayWords?: string;
}

const cuts = (cause: string): boolean => cause !== "thinned";

/** Newer samples of the live socket behind those of the answer; an overlap is dropped. */
export function withTail(history: PenHistory, tail: readonly HistoryPoint[]): HistoryPoint[] {
  const points = history.before === null ? [...history.points] : [history.before, ...history.points];
  const lastMs = points.at(-1)?.timeMs ?? Number.NEGATIVE_INFINITY;
  const heardMs = history.points.length === 0 ? lastMs : lastMs + Math.max(0, history.intervalMs - 1);
  for (const point of tail) if (point.timeMs > heardMs) points.push(point);
  if (history.after !== null && history.after.timeMs > (points.at(-1)?.timeMs ?? 0))
    points.push(history.after);
  return points;
}

/**
 * Decides what a pen may claim. A value stands until the next sample, but never longer than `staleAfterMs`, never into
 * a known gap and never beyond now: no line is drawn over what nobody measured.
 */
export function lineOf(history: PenHistory, tail: readonly HistoryPoint[], facts: LineFacts): PenLine {
  const points = withTail(history, tail);
  const gaps = history.gaps
    .map((gap) => ({ ...gap, fromMs: Date.parse(gap.from), toMs: Date.parse(gap.to) + 1 }))
    .toSorted((a, b) => a.fromMs - b.fromMs);
  const endMs = Math.max(history.toMs, points.at(-1)?.timeMs ?? 0);
  const claimEndMs = facts.listening ? facts.nowMs : Math.min(facts.nowMs, endMs);
  const cutting = gaps.filter((gap) => cuts(gap.cause));
  const ends = (i: number) => points[i]!.timeMs + (points[i]!.quality === "" ? history.intervalMs : 0);
  const untilMs = points.map((point, i) => {
    const nextMs = points[i + 1]?.timeMs ?? Math.max(claimEndMs, point.timeMs);
    const gapMs = firstFrom(cutting, point.timeMs, nextMs);
    return Math.max(point.timeMs, Math.min(nextMs, ends(i) + facts.staleAfterMs, gapMs));
  });
  const bands = [
    ...gaps.map((gap) => ({
      kind: cuts(gap.cause) ? ("gap" as const) : ("thinned" as const),
      fromMs: gap.fromMs,
      toMs: gap.toMs,
      words: capital(gapWords(gap.cause as GapCauseName)),
    })),
    ...qualityBands(points, untilMs),
    ...unknownBands(points, untilMs, { fromMs: history.fromMs, toMs: claimEndMs }, cutting, facts),
  ];
  return {
    step: history.step,
    intervalMs: history.intervalMs,
    points,
    untilMs,
    segments: segmentsOf(points, untilMs, history.step),
    bands: bands.toSorted((a, b) => a.fromMs - b.fromMs),
  };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function firstFrom(gaps: readonly { fromMs: number }[], fromMs: number, toMs: number): number {
  for (const gap of gaps) if (gap.fromMs > fromMs && gap.fromMs < toMs) return gap.fromMs;
  return toMs;
}

/** Usable points in a row, each claimed until the next one begins. */
export function segmentsOf(
  points: readonly HistoryPoint[],
  untilMs: readonly number[],
  step: boolean,
): Segment[] {
  const segments: Segment[] = [];
  let from = -1;
  const close = (to: number) => {
    if (from >= 0) {
      segments.push({ from, to, untilMs: step ? untilMs[to - 1]! : points[to - 1]!.timeMs });
    }
    from = -1;
  };
  for (let i = 0; i < points.length; i++) {
    const usable = points[i]!.level !== "bad" && points[i]!.y !== null;
    if (from >= 0 && (!usable || untilMs[i - 1]! < points[i]!.timeMs)) close(i);
    if (usable && from < 0) from = i;
  }
  close(points.length);
  return segments;
}

interface Run {
  kind: "bad" | "uncertain";
  fromMs: number;
  toMs: number;
  quality: string;
  marked: number;
  samples: number;
}

const runWords = (run: Run): string =>
  run.quality !== ""
    ? qualityWords(run.quality)
    : `${run.kind === "bad" ? "Bad" : "Uncertain"}: ${run.marked.toLocaleString()} of ${run.samples.toLocaleString()} samples`;

/** Bad and uncertain stretches. Touching ones of the same kind and quality are one. */
export function qualityBands(points: readonly HistoryPoint[], untilMs: readonly number[]): Band[] {
  const runs: Run[] = [];
  points.forEach((point, i) => {
    if (point.level === "good") return;
    const kind = point.bad > 0 ? "bad" : "uncertain";
    const run = runs.at(-1);
    const marked = kind === "bad" ? point.bad : point.uncertain;
    if (run?.kind === kind && run.toMs >= point.timeMs && run.quality === point.quality) {
      run.toMs = untilMs[i]!;
      run.marked += marked;
      run.samples += point.samples;
      return;
    }
    const { timeMs: fromMs, quality, samples } = point;
    runs.push({ kind, fromMs, toMs: untilMs[i]!, quality, marked, samples });
  });
  return runs.map((run) => ({ kind: run.kind, fromMs: run.fromMs, toMs: run.toMs, words: runWords(run) }));
}

function unknownBands(
  points: readonly HistoryPoint[],
  untilMs: readonly number[],
  range: { fromMs: number; toMs: number },
  gaps: readonly { fromMs: number; toMs: number }[],
  facts: LineFacts,
): Band[] {
  const holes: { fromMs: number; toMs: number; last: boolean }[] = [];
  if (points.length === 0) holes.push({ ...range, last: true });
  else if (points[0]!.timeMs > range.fromMs)
    holes.push({ fromMs: range.fromMs, toMs: points[0]!.timeMs, last: false });
  points.forEach((_, i) => {
    const last = i === points.length - 1;
    const toMs = points[i + 1]?.timeMs ?? range.toMs;
    if (untilMs[i]! < toMs) holes.push({ fromMs: untilMs[i]!, toMs, last });
  });
  return holes
    .filter((hole) => hole.toMs > range.fromMs)
    .flatMap((hole) =>
      without(hole, gaps).map((rest) => ({
        kind: "unknown" as const,
        ...rest,
        words: hole.last && facts.awayWords !== undefined ? facts.awayWords : "Nothing received",
      })),
    );
}

/** A stretch without the gaps that lie in it. `gaps` in order of time. */
export function without(
  stretch: { fromMs: number; toMs: number },
  gaps: readonly { fromMs: number; toMs: number }[],
): { fromMs: number; toMs: number }[] {
  const rest: { fromMs: number; toMs: number }[] = [];
  let { fromMs } = stretch;
  for (const gap of gaps) {
    if (gap.toMs <= fromMs || gap.fromMs >= stretch.toMs) continue;
    if (gap.fromMs > fromMs) rest.push({ fromMs, toMs: gap.fromMs });
    fromMs = Math.max(fromMs, gap.toMs);
  }
  if (fromMs < stretch.toMs) rest.push({ fromMs, toMs: stretch.toMs });
  return rest;
}

/** Index of the last point at or before a time; -1 when there is none. */
export function indexAt(points: readonly { timeMs: number }[], timeMs: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle]!.timeMs <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What a pen says of one moment: the point that stands there, or why there is none. */
export function pointAt(line: PenLine, timeMs: number): { point: HistoryPoint | null; band: Band | null } {
  const i = indexAt(line.points, timeMs);
  const stands = i >= 0 && line.untilMs[i]! >= timeMs;
  const band = line.bands.find((one) => one.fromMs <= timeMs && timeMs < one.toMs) ?? null;
  return { point: stands ? nearer(line, i, timeMs) : null, band };
}

/** A moving value is read at the nearer of two points; a standing one at the point that set it. */
function nearer(line: PenLine, i: number, timeMs: number): HistoryPoint {
  const here = line.points[i]!;
  const next = line.points[i + 1];
  if (line.step || line.intervalMs > 0 || next === undefined || next.y === null) return here;
  if (line.untilMs[i]! < next.timeMs) return here;
  return next.timeMs - timeMs < timeMs - here.timeMs ? next : here;
}
