import { KINDS, type Series } from "@millrace/contract/block/series";
import { columnsOf, NULL_FLAG, type SampleBatch } from "./sample-batch.ts";

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const PASSES = 3;

/**
 * Turns columns in order of arrival into one series per tag, keeping the order of arrival within a tag. A tag whose
 * kind changed in between gives two series. The series are views of one set of fresh columns.
 */
export function groupByTag(batch: SampleBatch): Series[] {
  const from = columnsOf(batch.buffer);
  const { count } = batch;
  const order = stableOrder(from.tagNos, count);
  const slots = new BigUint64Array(count);
  const timesMs = new Float64Array(count);
  const quality = new Uint8Array(count);
  const nulls = new Uint8Array(count);
  for (let to = 0; to < count; to++) {
    const at = order[to]!;
    slots[to] = from.uint64s[at]!;
    timesMs[to] = from.timesMs[at]!;
    quality[to] = from.quality[at]!;
    nulls[to] = from.kinds[at]! >>> 7;
  }
  const sorted: Sorted = {
    slots,
    doubles: new Float64Array(slots.buffer),
    timesMs,
    quality,
    nulls,
    texts: batch.texts,
  };
  const series: Series[] = [];
  let start = 0;
  while (start < count) {
    const first = order[start]!;
    const tagNo = from.tagNos[first]!;
    const kind = from.kinds[first]! & ~NULL_FLAG;
    let end = start + 1;
    while (
      end < count &&
      from.tagNos[order[end]!] === tagNo &&
      (from.kinds[order[end]!]! & ~NULL_FLAG) === kind
    )
      end++;
    series.push(seriesOf(sorted, tagNo, kind, start, end));
    start = end;
  }
  return series;
}

interface Sorted {
  slots: BigUint64Array<ArrayBuffer>;
  doubles: Float64Array;
  timesMs: Float64Array;
  quality: Uint8Array;
  nulls: Uint8Array;
  texts: readonly string[];
}

function seriesOf(sorted: Sorted, tagNo: number, kindNo: number, start: number, end: number): Series {
  const nulls = sorted.nulls.subarray(start, end);
  const base = {
    tagNo,
    timesMs: sorted.timesMs.subarray(start, end),
    quality: sorted.quality.subarray(start, end),
    nulls: nulls.includes(1) ? nulls : null,
    receivedMs: null,
  };
  const kind = KINDS[kindNo]!;
  const doubles = sorted.doubles.subarray(start, end);
  switch (kind) {
    case "double":
      return { ...base, kind, values: doubles };
    case "int64":
      return { ...base, kind, values: new BigInt64Array(sorted.slots.buffer, start * 8, end - start) };
    case "uint64":
      return { ...base, kind, values: sorted.slots.subarray(start, end) };
    case "boolean":
      return { ...base, kind, values: Uint8Array.from(doubles) };
    case "text":
      return {
        ...base,
        kind,
        values: Array.from(doubles, (textNo, at) => (nulls[at] === 1 ? "" : sorted.texts[textNo]!)),
      };
  }
}

/** Order of arrival sorted by tag number: a least-significant-digit radix sort, so equal tags keep their order. */
function stableOrder(tagNos: Uint32Array, count: number): Uint32Array {
  const counts = new Uint32Array(DIGITS * PASSES);
  for (let i = 0; i < count; i++) {
    const tagNo = tagNos[i]!;
    for (let pass = 0; pass < PASSES; pass++) {
      counts[pass * DIGITS + ((tagNo >>> (pass * DIGIT_BITS)) & (DIGITS - 1))]!++;
    }
  }
  let from = new Uint32Array(count);
  for (let i = 0; i < count; i++) from[i] = i;
  let to = new Uint32Array(count);
  for (let pass = 0; pass < PASSES; pass++) {
    const starts = counts.subarray(pass * DIGITS, (pass + 1) * DIGITS);
    // Small plants have small tag numbers: a digit that all share sorts nothing.
    if (starts.includes(count)) continue;
    let next = 0;
    for (let digit = 0; digit < DIGITS; digit++) {
      const here = starts[digit]!;
      starts[digit] = next;
      next += here;
    }
    for (let i = 0; i < count; i++) {
      const at = from[i]!;
      const digit = (tagNos[at]! >>> (pass * DIGIT_BITS)) & (DIGITS - 1);
      to[starts[digit]!++] = at;
    }
    [from, to] = [to, from];
  }
  return from;
}
