import type { Gap, RawSeries, SamplesAnswer, Source } from "@millrace/contract/api/history";
import type { DataType, JsonValue } from "@millrace/contract/vocabulary/value";
import { plotNumber } from "../state/format-value.ts";
import { levelOf } from "../state/quality-words.ts";

export type Level = "good" | "uncertain" | "bad";

/** One sample, or the figures of one bucket, of one pen. */
export interface HistoryPoint {
  /** Time of the sample; begin of the bucket. */
  timeMs: number;
  /** What is drawn and read: the sample's value, the average of a bucket, the last text of one. */
  value: JsonValue;
  /** `value` as a number; null when it has none. */
  y: number | null;
  low: number | null;
  high: number | null;
  level: Level;
  /** Name of the quality of a sample; empty for a bucket, which has many. */
  quality: string;
  /** Of a bucket: how many samples, and how many of them are bad or uncertain. Of a sample: 1. */
  samples: number;
  bad: number;
  uncertain: number;
  /** Bucket of a text or a boolean in which more than one value stood. */
  mixed: boolean;
}

/** One pen's part of an answer, in the form the chart draws from. Nothing here depends on the screen. */
export interface PenHistory {
  tagNo: number;
  dataType: DataType;
  step: boolean;
  kind: "raw" | "envelope";
  source: Source;
  /** Length of a bucket; 0 for raw samples. */
  intervalMs: number;
  points: HistoryPoint[];
  /** A sample beside the range at either end, so that the pen reaches the edge. */
  before: HistoryPoint | null;
  after: HistoryPoint | null;
  gaps: Gap[];
  /** What the answer covers: [fromMs, toMs). */
  fromMs: number;
  toMs: number;
}

export function rawPoint(timeMs: number, value: JsonValue, quality: string): HistoryPoint {
  const level = levelOf(quality);
  const y = level === "bad" ? null : plotNumber(value);
  return {
    timeMs,
    value,
    y,
    low: y,
    high: y,
    level,
    quality,
    samples: 1,
    bad: level === "bad" ? 1 : 0,
    uncertain: level === "uncertain" ? 1 : 0,
    mixed: false,
  };
}

function rawPoints(series: RawSeries): HistoryPoint[] {
  const points: HistoryPoint[] = [];
  let run = 0;
  for (let i = 0; i < series.timesMs.length; i++) {
    while (run + 1 < series.qualityRuns.length && series.qualityRuns[run + 1]!.start <= i) run++;
    const quality = series.qualityRuns[run]?.quality ?? "bad.unspecified";
    points.push(rawPoint(series.timesMs[i]!, series.values[i] ?? null, quality));
  }
  return points;
}

type EnvelopeSeries = Extract<SamplesAnswer, { kind: "envelope" }>["series"][number];

function bucketLevel(usable: number, bad: number, uncertain: number): Level {
  if (usable === 0) return "bad";
  return bad > 0 || uncertain > 0 ? "uncertain" : "good";
}

/** A boolean's bucket is read like a text's: what stood last, and whether anything else stood. */
const isState = (dataType: DataType): boolean => dataType === "text" || dataType === "boolean";

function bucketPoint(series: EnvelopeSeries, i: number): HistoryPoint {
  const state = isState(series.dataType);
  const usable = series.count[i] ?? 0;
  const bad = series.bad[i] ?? 0;
  const uncertain = series.uncertain[i] ?? 0;
  const low = plotNumber(series.min?.[i] ?? null);
  const high = plotNumber(series.max?.[i] ?? null);
  const last = series.last[i] ?? null;
  const value = state ? asState(last, series.dataType) : (series.avg?.[i] ?? null);
  return {
    timeMs: series.timesMs[i]!,
    value,
    y: plotNumber(value),
    low,
    high,
    level: bucketLevel(usable, bad, uncertain),
    quality: "",
    samples: usable + bad,
    bad,
    uncertain,
    mixed: state && (low !== high || series.first[i] !== last),
  };
}

/** Tiers keep booleans as 0 and 1; a screen says On and Off. */
const asState = (value: JsonValue, dataType: DataType): JsonValue =>
  dataType === "boolean" && typeof value === "number" ? value !== 0 : value;

type Beside = RawSeries["before"];
const beside = (point: Beside): HistoryPoint | null =>
  point === null || point === undefined ? null : rawPoint(point.timeMs, point.value, point.quality);

/** One pen out of an answer; null when the answer has nothing for this tag. */
export function historyOf(answer: SamplesAnswer, tagNo: number): PenHistory | null {
  const series = answer.series.find((one) => one.tagNo === tagNo);
  if (series === undefined) return null;
  const head = {
    tagNo,
    dataType: series.dataType,
    step: series.interpolation === "step" || isState(series.dataType),
    source: answer.source,
    before: beside(series.before),
    after: beside(series.after),
    gaps: answer.gaps.filter((gap) => gap.tagNos.includes(tagNo)),
    fromMs: Date.parse(answer.from),
    toMs: Date.parse(answer.to),
  };
  if (answer.kind === "raw") {
    const points = rawPoints(answer.series.find((one) => one.tagNo === tagNo)!);
    return { ...head, kind: "raw", intervalMs: 0, points };
  }
  const envelope = answer.series.find((one) => one.tagNo === tagNo)!;
  const points = envelope.timesMs.map((_, i) => bucketPoint(envelope, i));
  return { ...head, kind: "envelope", intervalMs: answer.intervalMs, points };
}

/** The answer reduced to one tag: what is kept on this device for it. */
export function answerOfOne(answer: SamplesAnswer, tagNo: number): SamplesAnswer {
  const gaps = answer.gaps.filter((gap) => gap.tagNos.includes(tagNo));
  if (answer.kind === "raw") {
    return { ...answer, gaps, series: answer.series.filter((one) => one.tagNo === tagNo) };
  }
  return { ...answer, gaps, series: answer.series.filter((one) => one.tagNo === tagNo) };
}
