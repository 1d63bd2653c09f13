import { allocateColumns, type BlockColumns, putSeries, seriesAt } from "@millrace/contract/block/columns";
import { FLAG, TIME_MS_MAX } from "@millrace/contract/block/layout";
import type { Series } from "@millrace/contract/block/series";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { historyStray } from "../../db/schema/history.ts";

export type StrayReason = (typeof historyStray.$inferSelect)["reason"];

/** Times the history has a place for: 1970 to 9999, ms UTC. Outside, no clock of a plant is believed. */
export const PLACE = { fromMs: 0, toMs: 253_402_300_800_000 } as const;

const UNCERTAIN_MIN = 64;

/** How the times of a frame are to be read. */
export interface FrameTimes {
  /** To be added: the boot began without a clock. */
  offsetMs: number;
  /** Good samples later than this are uncertain by their clock: the value is true, its time is not. */
  believedToMs: number;
}

export interface Span {
  tMin: number;
  tMax: number;
}

/** Puts times and quality of freshly decoded columns right, in place. @returns the span of time, after shifting */
export function settleTimes(columns: BlockColumns, { offsetMs, believedToMs }: FrameTimes): Span {
  const { timesMs, quality, sampleCount } = columns;
  const shiftMs = Math.round(offsetMs);
  const span = { tMin: Number.POSITIVE_INFINITY, tMax: Number.NEGATIVE_INFINITY };
  for (let i = 0; i < sampleCount; i++) {
    // A block holds no later time; what is moved beyond has no place in the history anyway.
    const timeMs = Math.max(-TIME_MS_MAX, Math.min(TIME_MS_MAX, timesMs[i]! + shiftMs));
    timesMs[i] = timeMs;
    if (timeMs < span.tMin) span.tMin = timeMs;
    if (timeMs > span.tMax) span.tMax = timeMs;
    if (timeMs > believedToMs && quality[i]! < UNCERTAIN_MIN) quality[i] = QUALITY["uncertain.clock"];
  }
  // Received by the same clock that did not know the time yet.
  const received = shiftMs === 0 ? null : columns.receivedMs;
  if (received !== null)
    for (let i = 0; i < sampleCount; i++)
      received[i] = Math.max(-TIME_MS_MAX, Math.min(TIME_MS_MAX, received[i]! + shiftMs));
  return span;
}

/** Tells of a tag from which time on its samples are kept; undefined when the tag was never this gateway's. */
export type KeptFrom = (tagNo: number) => number | undefined;

export interface Sifted {
  /** Null when nothing is left. */
  kept: BlockColumns | null;
  strays: { reason: StrayReason; series: Series }[];
}

/**
 * Parts samples that have a place in the history from those that have not. Nearly always all have, and then the columns
 * come back as they are.
 * @param span of all samples, after `settleTimes`
 */
export function sift(columns: BlockColumns, span: Span, keptFrom: KeptFrom): Sifted {
  const { tagNos, seriesCount } = columns;
  let clean = span.tMin >= PLACE.fromMs && span.tMax < PLACE.toMs;
  for (let s = 0; clean && s < seriesCount; s++) {
    const fromMs = keptFrom(tagNos[s]!);
    clean = fromMs !== undefined && fromMs <= span.tMin;
  }
  if (clean) return { kept: columns, strays: [] };
  const kept: Series[] = [];
  const strays: Sifted["strays"] = [];
  for (let s = 0; s < seriesCount; s++) {
    const series = seriesAt(columns, s);
    const fromMs = keptFrom(series.tagNo);
    if (fromMs === undefined) {
      strays.push({ reason: "foreign", series });
      continue;
    }
    const reasons = Array.from(series.timesMs, (timeMs) => reasonOf(timeMs, fromMs));
    const stay = pickSamples(series, reasons, null);
    if (stay !== null) kept.push(stay);
    for (const reason of ["expired", "unbelievable"] as const) {
      const stray = pickSamples(series, reasons, reason);
      if (stray !== null) strays.push({ reason, series: stray });
    }
  }
  return { kept: kept.length === 0 ? null : columnsOf(kept), strays };
}

function reasonOf(timeMs: number, fromMs: number): StrayReason | null {
  if (timeMs < PLACE.fromMs || timeMs >= PLACE.toMs) return "unbelievable";
  return timeMs < fromMs ? "expired" : null;
}

function pickSamples(
  series: Series,
  reasons: readonly (StrayReason | null)[],
  wanted: StrayReason | null,
): Series | null {
  const indexes = reasons.flatMap((reason, i) => (reason === wanted ? [i] : []));
  if (indexes.length === 0) return null;
  if (indexes.length === reasons.length) return series;
  const bytes = (column: Uint8Array) => Uint8Array.from(indexes, (i) => column[i]!);
  const times = (column: Float64Array) => Float64Array.from(indexes, (i) => column[i]!);
  const base = {
    tagNo: series.tagNo,
    timesMs: times(series.timesMs),
    quality: bytes(series.quality),
    nulls: series.nulls && bytes(series.nulls),
    receivedMs: series.receivedMs && times(series.receivedMs),
  };
  switch (series.kind) {
    case "double": {
      // As words: a NaN that passes through a number may lose its payload.
      const { buffer, byteOffset, length } = series.values;
      const words = new BigUint64Array(buffer, byteOffset, length);
      const picked = BigUint64Array.from(indexes, (i) => words[i]!);
      return { ...base, kind: "double", values: new Float64Array(picked.buffer) };
    }
    case "int64":
      return { ...base, kind: "int64", values: BigInt64Array.from(indexes, (i) => series.values[i]!) };
    case "uint64":
      return { ...base, kind: "uint64", values: BigUint64Array.from(indexes, (i) => series.values[i]!) };
    case "boolean":
      return { ...base, kind: "boolean", values: bytes(series.values) };
    case "text":
      return { ...base, kind: "text", values: indexes.map((i) => series.values[i]!) };
  }
}

/** Flat columns of series. */
export function columnsOf(series: readonly Series[]): BlockColumns {
  const count = series.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
  const columns = allocateColumns(series.length, count);
  let at = 0;
  series.forEach((one, s) => {
    columns.starts[s] = at;
    putSeries(columns, s, one);
    at += one.timesMs.length;
  });
  columns.starts[series.length] = at;
  return columns;
}

/** Whether series `s` has samples without a value, or with a time of receipt of their own. */
export const hasNulls = (columns: BlockColumns, s: number): boolean =>
  columns.nulls !== null && (columns.flags[s]! & FLAG.nulls) !== 0;
export const hasReceived = (columns: BlockColumns, s: number): boolean =>
  columns.receivedMs !== null && (columns.flags[s]! & FLAG.received) !== 0;
