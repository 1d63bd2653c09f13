// The mixed plant data set over days, as sealed frames of an hour each: what a gateway brings after a long outage.
import type { Compression } from "@millrace/contract/block/compression";
import { encodeBlock } from "@millrace/contract/block/encode";
import type { Series } from "@millrace/contract/block/series";
import { sealFrame } from "@millrace/contract/wire/frame";
import { headerOf } from "../../faults/sim-gateway.ts";
import { type Habit, plantSeries } from "../plant-data.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
/** What `plantSeries` takes for the time of its first sample. */
const MADE_FROM_MS = 1_767_225_600_000;
const SCAN_MS = 1_000;
const HOURS_OF_DAY = 24;

/** One tag of the data set. */
export interface SetTag {
  tagNo: number;
  habit: Habit;
}

/** Ten tags in the proportions of a mixed plant. */
export const MIXED: readonly Habit[] = [
  ...(["decimal", "decimal", "decimal", "decimal", "float32"] as const),
  ...(["float32", "counter", "counter", "boolean", "text"] as const),
];

/** A stretch of one series, moved in time; nothing is copied but the times. */
function cut(series: Series, from: number, to: number, shiftMs: number): Series {
  const { values, nulls } = series;
  const timesMs = series.timesMs.slice(from, to).map((timeMs) => timeMs + shiftMs);
  const own = nulls === null ? null : nulls.slice(from, to);
  return {
    ...series,
    timesMs,
    quality: series.quality.slice(from, to),
    nulls: own?.includes(1) ? own : null,
    values: values.slice(from, to),
  } as Series;
}

/** One UTC day of one tag at one sample a second, each with 0 to 4 ms of jitter of its own. */
function dayOf({ tagNo, habit }: SetTag, day: number): Series {
  const [series] = plantSeries({
    tags: 1,
    samplesEach: DAY_MS / SCAN_MS,
    habit,
    tagsPerDevice: 1,
    seed: tagNo * 7_919 + day,
  });
  return { ...series!, tagNo };
}

export interface FramesInput {
  tags: readonly SetTag[];
  /** First day and the one behind the last, in days since 1970 UTC. */
  fromDay: number;
  toDay: number;
  epoch: number;
  compression: Compression;
}

/** Sealed frames of one hour each, numbered from 1, with the samples in each. */
export function* pastFrames(
  input: FramesInput,
): Generator<{ seq: number; frame: Uint8Array; count: number }> {
  const { tags, epoch, compression } = input;
  let seq = 0;
  for (let day = input.fromDay; day < input.toDay; day++) {
    const shiftMs = day * DAY_MS - MADE_FROM_MS;
    const whole = tags.map((tag) => dayOf(tag, day));
    for (let hour = 0; hour < HOURS_OF_DAY; hour++) {
      const size = HOUR_MS / SCAN_MS;
      const parts = whole.map((series) => cut(series, hour * size, (hour + 1) * size, shiftMs));
      const count = size * tags.length;
      const header = headerOf(++seq, epoch, count, shiftMs + MADE_FROM_MS + (hour + 1) * HOUR_MS);
      yield {
        seq,
        count,
        frame: sealFrame({ ...header, compression: compression.name }, encodeBlock(parts, compression)),
      };
    }
  }
}

/** The same samples of one tag and day as plain columns, for the baseline; text becomes its length. */
export function plainDay(tag: SetTag, day: number): { timesMs: Float64Array; values: Float64Array } {
  const series = dayOf(tag, day);
  const shiftMs = day * DAY_MS - MADE_FROM_MS;
  const values = new Float64Array(series.timesMs.length);
  for (let i = 0; i < values.length; i++) {
    const value = series.values[i]!;
    values[i] = typeof value === "string" ? value.length : Number(value);
  }
  return { timesMs: series.timesMs.map((timeMs) => timeMs + shiftMs), values };
}
