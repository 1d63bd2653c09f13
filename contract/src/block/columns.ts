import { FLAG } from "./layout.ts";
import { KIND, KINDS, type Series } from "./series.ts";

/**
 * A whole block as flat columns: sample i of series s is at index starts[s] + i. No object per sample and none per
 * series, so a block of thousands of tags costs a dozen allocations. The hub's hot path reads this; everybody else
 * takes `Series`.
 */
export interface BlockColumns {
  seriesCount: number;
  sampleCount: number;
  tagNos: Uint32Array;
  /** Index into `KINDS`. */
  kinds: Uint8Array;
  /** seriesCount + 1 entries; the last is sampleCount. */
  starts: Uint32Array;
  /** Per series, `FLAG.nulls` and `FLAG.received` where the series has such samples; other bits mean nothing here. */
  flags: Uint8Array;
  timesMs: Float64Array;
  quality: Uint8Array;
  /** 1 = no value. Null when no series has one. */
  nulls: Uint8Array | null;
  /** Means something only in series with the flag. Null when no series has it. */
  receivedMs: Float64Array | null;
  /** The same 64-bit slots seen as doubles, signed, unsigned integers and words; slot i belongs to sample i. */
  doubles: Float64Array;
  int64s: BigInt64Array;
  uint64s: BigUint64Array;
  words: Uint32Array;
  booleans: Uint8Array;
  /** Per series; empty for other kinds. Null when no series is text. */
  texts: (readonly string[])[] | null;
}

/** Fresh columns. The caller has checked the counts against the limits. */
export function allocateColumns(seriesCount: number, sampleCount: number): BlockColumns {
  const slots = new ArrayBuffer(sampleCount * 8);
  return {
    seriesCount,
    sampleCount,
    tagNos: new Uint32Array(seriesCount),
    kinds: new Uint8Array(seriesCount),
    starts: new Uint32Array(seriesCount + 1),
    flags: new Uint8Array(seriesCount),
    timesMs: new Float64Array(sampleCount),
    quality: new Uint8Array(sampleCount),
    nulls: null,
    receivedMs: null,
    doubles: new Float64Array(slots),
    int64s: new BigInt64Array(slots),
    uint64s: new BigUint64Array(slots),
    words: new Uint32Array(slots),
    booleans: new Uint8Array(sampleCount),
    texts: null,
  };
}

/** Views on the columns, one per series; nothing is copied, so one kept series keeps the whole block. */
export function seriesOfColumns(columns: BlockColumns): Series[] {
  const all: Series[] = new Array(columns.seriesCount);
  for (let s = 0; s < columns.seriesCount; s++) all[s] = seriesAt(columns, s);
  return all;
}

/** View on one series of the columns. */
export function seriesAt(columns: BlockColumns, s: number): Series {
  const from = columns.starts[s]!;
  const count = columns.starts[s + 1]! - from;
  const flags = columns.flags[s]!;
  const nulls = flags & FLAG.nulls ? columns.nulls : null;
  const received = flags & FLAG.received ? columns.receivedMs : null;
  const base = {
    tagNo: columns.tagNos[s]!,
    timesMs: new Float64Array(columns.timesMs.buffer, columns.timesMs.byteOffset + from * 8, count),
    quality: new Uint8Array(columns.quality.buffer, columns.quality.byteOffset + from, count),
    nulls: nulls ? nulls.subarray(from, from + count) : null,
    receivedMs: received ? received.subarray(from, from + count) : null,
  };
  const slots = columns.doubles.buffer;
  const at = columns.doubles.byteOffset + from * 8;
  switch (KINDS[columns.kinds[s]!]) {
    case "double":
      return { ...base, kind: "double", values: new Float64Array(slots, at, count) };
    case "int64":
      return { ...base, kind: "int64", values: new BigInt64Array(slots, at, count) };
    case "uint64":
      return { ...base, kind: "uint64", values: new BigUint64Array(slots, at, count) };
    case "boolean":
      return { ...base, kind: "boolean", values: columns.booleans.subarray(from, from + count) };
    default:
      return { ...base, kind: "text", values: columns.texts?.[s] ?? [] };
  }
}

/** Copies one series into place; `columns.starts[s]` and the room behind it are set already. */
export function putSeries(columns: BlockColumns, s: number, series: Series): void {
  const from = columns.starts[s]!;
  columns.tagNos[s] = series.tagNo;
  columns.kinds[s] = KIND[series.kind];
  columns.timesMs.set(series.timesMs, from);
  columns.quality.set(series.quality, from);
  let flags = 0;
  if (series.nulls) {
    flags |= FLAG.nulls;
    columns.nulls ??= new Uint8Array(columns.timesMs.length);
    columns.nulls.set(series.nulls, from);
  }
  if (series.receivedMs) {
    flags |= FLAG.received;
    columns.receivedMs ??= new Float64Array(columns.timesMs.length);
    columns.receivedMs.set(series.receivedMs, from);
  }
  columns.flags[s] = flags;
  switch (series.kind) {
    case "double":
      return columns.doubles.set(series.values, from);
    case "int64":
      return columns.int64s.set(series.values, from);
    case "uint64":
      return columns.uint64s.set(series.values, from);
    case "boolean":
      return columns.booleans.set(series.values, from);
    case "text":
      columns.texts ??= [];
      while (columns.texts.length < s) columns.texts.push([]);
      columns.texts[s] = series.values;
  }
}
