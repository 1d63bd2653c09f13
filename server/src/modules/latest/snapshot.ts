import type { Compression } from "@millrace/contract/block/compression";
import { decodeColumns } from "@millrace/contract/block/decode";
import { encodeBlock } from "@millrace/contract/block/encode";
import type { Series } from "@millrace/contract/block/series";
import { QUALITY, type QualityCode } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { valueAt } from "./absorb.ts";
import type { LatestCache } from "./cache.ts";

/** Tag numbers in one stored part. */
export const PART_TAGS = 4_096;
export const partOf = (tagNo: number): number => Math.floor(tagNo / PART_TAGS);

export interface SnapshotPart {
  part: number;
  newest: Uint8Array;
  good: Uint8Array;
}

const INT64_MAX = 2n ** 63n - 1n;

function seriesOf(tagNo: number, value: TagValue, quality: QualityCode, timeMs: number): Series {
  const base = {
    tagNo,
    timesMs: Float64Array.of(timeMs),
    quality: Uint8Array.of(quality),
    nulls: value === null ? Uint8Array.of(1) : null,
    receivedMs: null,
  };
  switch (typeof value) {
    case "boolean":
      return { ...base, kind: "boolean", values: Uint8Array.of(value ? 1 : 0) };
    case "string":
      return { ...base, kind: "text", values: [value] };
    case "bigint":
      return value > INT64_MAX
        ? { ...base, kind: "uint64", values: BigUint64Array.of(value) }
        : { ...base, kind: "int64", values: BigInt64Array.of(value) };
    default:
      return { ...base, kind: "double", values: Float64Array.of(value ?? 0) };
  }
}

/** The parts that hold these tags, each whole, as blocks. */
export function encodeParts(
  cache: LatestCache,
  tagNos: readonly number[],
  compression: Compression,
): SnapshotPart[] {
  const wanted = new Set(tagNos.map(partOf));
  const newest = new Map<number, Series[]>([...wanted].map((part) => [part, []]));
  const good = new Map<number, Series[]>([...wanted].map((part) => [part, []]));
  for (const tagNo of cache.tagNos()) {
    const part = partOf(tagNo);
    if (!wanted.has(part)) continue;
    const latest = cache.read(tagNo);
    if (latest?.newest) {
      const { value, quality, timeMs } = latest.newest;
      newest.get(part)!.push(seriesOf(tagNo, value, quality, timeMs));
    }
    if (latest?.good)
      good.get(part)!.push(seriesOf(tagNo, latest.good.value, QUALITY.good, latest.good.timeMs));
  }
  const byTag = (a: Series, b: Series) => a.tagNo - b.tagNo;
  return [...wanted].map((part) => ({
    part,
    newest: encodeBlock(newest.get(part)!.sort(byTag), compression),
    good: encodeBlock(good.get(part)!.sort(byTag), compression),
  }));
}

/**
 * Puts a stored part back. Tags that no gateway owns any more are left out by the cache itself.
 * @throws AppError `block.*` for damaged bytes
 */
export function restorePart(cache: LatestCache, part: SnapshotPart, compression: Compression): void {
  // The good value goes first: at the same time the newest one, good or not, has the last word.
  for (const bytes of [part.good, part.newest]) {
    const columns = decodeColumns(bytes, compression);
    for (let s = 0; s < columns.seriesCount; s++) {
      const i = columns.starts[s]!;
      const timeMs = columns.timesMs[i]!;
      const sample = {
        tagNo: columns.tagNos[s]!,
        value: valueAt(columns, s, i),
        quality: columns.quality[i]!,
        timeMs,
      };
      // Stored values passed the clock's check once; the hub's clock may have been set back since.
      cache.offer(sample, timeMs);
    }
  }
}
