import type { BlockColumns } from "@millrace/contract/block/columns";
import { KINDS } from "@millrace/contract/block/series";
import { qualityLevel } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { FUTURE_MS_MAX, type LatestCache } from "./cache.ts";

/** Value of sample `i`, which belongs to series `s`. */
export function valueAt(columns: BlockColumns, s: number, i: number): TagValue {
  if (columns.nulls?.[i] === 1) return null;
  switch (KINDS[columns.kinds[s]!]) {
    case "double":
      return columns.doubles[i]!;
    case "int64":
      return columns.int64s[i]!;
    case "uint64":
      return columns.uint64s[i]!;
    case "boolean":
      return columns.booleans[i] === 1;
    default:
      return columns.texts?.[s]?.[i - columns.starts[s]!] ?? null;
  }
}

export interface AbsorbCount {
  /** Samples of tags this gateway does not own: kept in the journal, shown nowhere. */
  foreign: number;
  /** Series that changed the latest value of their tag. */
  changed: number;
}

/**
 * Takes the newest samples of a decoded block into the cache. One pass over times and qualities, and at most two
 * offers per series: the newest and the newest good one.
 */
export function absorb(
  cache: LatestCache,
  columns: BlockColumns,
  gatewayNo: number,
  nowMs: number,
): AbsorbCount {
  const count: AbsorbCount = { foreign: 0, changed: 0 };
  const { timesMs, quality, starts, tagNos } = columns;
  const latestMs = nowMs + FUTURE_MS_MAX;
  for (let s = 0; s < columns.seriesCount; s++) {
    const tagNo = tagNos[s]!;
    const from = starts[s]!;
    const to = starts[s + 1]!;
    if (cache.ownerOf(tagNo) !== gatewayNo) {
      count.foreign += to - from;
      continue;
    }
    let newest = -1;
    let good = -1;
    for (let i = from; i < to; i++) {
      const timeMs = timesMs[i]!;
      if (timeMs > latestMs) continue;
      if (newest < 0 || timeMs >= timesMs[newest]!) newest = i;
      if (qualityLevel(quality[i]!) === "good" && (good < 0 || timeMs >= timesMs[good]!)) good = i;
    }
    let changed = false;
    for (const i of newest === good ? [newest] : [good, newest]) {
      if (i < 0) continue;
      const sample = { tagNo, value: valueAt(columns, s, i), quality: quality[i]!, timeMs: timesMs[i]! };
      changed = cache.offer(sample, nowMs) === "taken" || changed;
    }
    if (changed) count.changed++;
  }
  return count;
}
