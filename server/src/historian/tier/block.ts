import type { Compression } from "@millrace/contract/block/compression";
import { decodeBlock } from "@millrace/contract/block/decode";
import type { Series } from "@millrace/contract/block/series";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { encodeChunk } from "../compaction/chunk.ts";
import { lowerBound } from "../compaction/merge.ts";
import type { TierColumns } from "./tier.ts";

/** Numbers of the figures inside a stored tier, in the place of tag numbers. Append only: old rows keep their meaning. */
export const FIGURE = {
  count: 1,
  uncertain: 2,
  bad: 3,
  min: 4,
  max: 5,
  sum: 6,
  first: 7,
  last: 8,
  exactMin: 9,
  exactMax: 10,
  exactFirst: 11,
  exactLast: 12,
} as const;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/**
 * Figures as a block: each a series whose times are the beginnings of the stretches. Left out is what can be told from
 * the rest: zeros, figures that no stretch has, and the doubles of what is there exactly.
 *
 * @param tier with at least one stretch
 */
export function encodeTier(tier: TierColumns, compression: Compression): Uint8Array {
  const { exact, startMs } = tier;
  const series: Series[] = [];
  const counts = (tagNo: number, values: Uint32Array, always: boolean) => {
    if (always || values.some((value) => value !== 0))
      series.push(doubles(tagNo, startMs, Float64Array.from(values)));
  };
  const numbers = (tagNo: number, values: Float64Array) => {
    const known = pickKnown(startMs, values);
    if (known !== null) series.push(doubles(tagNo, known.startMs, known.values));
  };
  counts(FIGURE.count, tier.count, true);
  counts(FIGURE.uncertain, tier.uncertain, false);
  counts(FIGURE.bad, tier.bad, false);
  if (!exact?.min) numbers(FIGURE.min, tier.min);
  if (!exact?.max) numbers(FIGURE.max, tier.max);
  numbers(FIGURE.sum, tier.sum);
  if (!exact) {
    numbers(FIGURE.first, tier.first);
    numbers(FIGURE.last, tier.last);
  } else {
    if (exact.min) series.push(...exactly(FIGURE.exactMin, startMs, exact.min));
    if (exact.max) series.push(...exactly(FIGURE.exactMax, startMs, exact.max));
    series.push(...exactly(FIGURE.exactFirst, startMs, exact.first));
    series.push(...exactly(FIGURE.exactLast, startMs, exact.last));
  }
  return encodeChunk(series, compression);
}

/** @throws AppError `block.*` for bytes that were damaged in store */
export function decodeTier(bytes: Uint8Array, compression: Compression): TierColumns {
  const series = decodeBlock(bytes, compression);
  const of = (tagNo: number) => series.filter((one) => one.tagNo === tagNo);
  const startMs = of(FIGURE.count)[0]?.timesMs ?? new Float64Array(0);
  const length = startMs.length;
  const counts = (tagNo: number) => Uint32Array.from(doublesOf(of(tagNo)[0], startMs, 0));
  const numbers = (tagNo: number) => doublesOf(of(tagNo)[0], startMs, Number.NaN);
  const values = (tagNo: number) => valuesOf(of(tagNo), startMs);
  const hasExact = series.some(({ tagNo }) => tagNo >= FIGURE.exactMin);
  const hasRange = of(FIGURE.exactMin).length > 0;
  const exact = hasExact
    ? {
        min: hasRange ? values(FIGURE.exactMin) : null,
        max: hasRange ? values(FIGURE.exactMax) : null,
        first: values(FIGURE.exactFirst),
        last: values(FIGURE.exactLast),
      }
    : null;
  return {
    length,
    startMs,
    count: counts(FIGURE.count),
    uncertain: counts(FIGURE.uncertain),
    bad: counts(FIGURE.bad),
    min: exact?.min ? rounded(exact.min) : numbers(FIGURE.min),
    max: exact?.max ? rounded(exact.max) : numbers(FIGURE.max),
    sum: numbers(FIGURE.sum),
    first: exact ? rounded(exact.first) : numbers(FIGURE.first),
    last: exact ? rounded(exact.last) : numbers(FIGURE.last),
    exact,
  };
}

const doubles = (tagNo: number, timesMs: Float64Array, values: Float64Array): Series => ({
  kind: "double",
  tagNo,
  timesMs,
  values,
  quality: new Uint8Array(values.length),
  nulls: null,
  receivedMs: null,
});

function pickKnown(
  startMs: Float64Array,
  values: Float64Array,
): { startMs: Float64Array; values: Float64Array } | null {
  if (!values.some(Number.isNaN)) return { startMs, values };
  const known = startMs.filter((_, i) => !Number.isNaN(values[i]!));
  return known.length === 0
    ? null
    : { startMs: known, values: values.filter((value) => !Number.isNaN(value)) };
}

/** One series for each kind of value that occurs; usually one. */
function exactly(tagNo: number, startMs: Float64Array, values: ArrayLike<TagValue>): Series[] {
  const kinds = new Map<Series["kind"], number[]>();
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === null) continue;
    const kind = kindOf(value);
    const indexes = kinds.get(kind);
    if (indexes) indexes.push(i);
    else kinds.set(kind, [i]);
  }
  return [...kinds].map(([kind, indexes]) =>
    seriesOfValues(
      kind,
      {
        tagNo,
        timesMs: Float64Array.from(indexes, (i) => startMs[i]!),
        quality: new Uint8Array(indexes.length),
        nulls: null,
        receivedMs: null,
      },
      indexes.map((i) => values[i]!),
    ),
  );
}

type Base = Omit<Series, "kind" | "values">;

function seriesOfValues(kind: Series["kind"], base: Base, values: readonly TagValue[]): Series {
  switch (kind) {
    case "double":
      return { ...base, kind, values: Float64Array.from(values as number[]) };
    case "boolean":
      return { ...base, kind, values: Uint8Array.from(values, Number) };
    case "text":
      return { ...base, kind, values: values as string[] };
    case "int64":
      return { ...base, kind, values: BigInt64Array.from(values as bigint[]) };
    case "uint64":
      return { ...base, kind, values: BigUint64Array.from(values as bigint[]) };
  }
}

function kindOf(value: NonNullable<TagValue>): Series["kind"] {
  if (typeof value === "bigint") return value >= INT64_MIN && value <= INT64_MAX ? "int64" : "uint64";
  if (typeof value === "string") return "text";
  return typeof value === "boolean" ? "boolean" : "double";
}

function doublesOf(series: Series | undefined, startMs: Float64Array, missing: number): Float64Array {
  const values = new Float64Array(startMs.length).fill(missing);
  if (series?.kind !== "double") return values;
  if (series.timesMs.length === startMs.length) return series.values;
  series.timesMs.forEach((timeMs, i) => {
    values[lowerBound(startMs, timeMs)] = series.values[i]!;
  });
  return values;
}

function valuesOf(all: readonly Series[], startMs: Float64Array): ArrayLike<TagValue> {
  const [only] = all;
  if (all.length === 1 && only!.kind !== "boolean" && only!.timesMs.length === startMs.length)
    return only!.values;
  const values: TagValue[] = new Array(startMs.length).fill(null);
  for (const series of all)
    series.timesMs.forEach((timeMs, i) => {
      const value = series.values[i]!;
      values[lowerBound(startMs, timeMs)] = series.kind === "boolean" ? value === 1 : value;
    });
  return values;
}

function rounded(values: ArrayLike<TagValue>): Float64Array {
  const numbers = new Float64Array(values.length);
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    // Both halves are exact and their sum is rounded once, as Number() does, without making an integer of each.
    const { buffer, byteOffset } = values;
    const low = new Uint32Array(buffer, byteOffset, 2 * values.length);
    const high = values instanceof BigInt64Array ? new Int32Array(buffer, byteOffset, low.length) : low;
    for (let i = 0; i < numbers.length; i++) numbers[i] = high[2 * i + 1]! * 0x1_0000_0000 + low[2 * i]!;
    return numbers;
  }
  for (let i = 0; i < numbers.length; i++) {
    const value = values[i]!;
    numbers[i] = value === null || typeof value === "string" ? Number.NaN : Number(value);
  }
  return numbers;
}
