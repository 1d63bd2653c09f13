import { type BlockColumns, seriesAt } from "@millrace/contract/block/columns";
import type { Compression } from "@millrace/contract/block/compression";
import type { Series } from "@millrace/contract/block/series";
import { AppError } from "@millrace/contract/error/app-error";
import { LIMITS } from "@millrace/contract/wire/limits";
import { groupOf, HOUR_MS, hourOf } from "../slot.ts";
import { encodeChunk, encodeChunkColumns } from "./chunk.ts";
import { gather } from "./gather.ts";
import { lowerBound, mergeSeries, sliceSeries } from "./merge.ts";

/** At most four bytes each, so a quarter of the raw bytes of a block. */
const TEXT_CHARACTERS_MAX = LIMITS.blockRawBytesMax / 16;

/** A row of `history_minutes` before it has a number. */
export interface GroupBlock {
  groupNo: number;
  hourNo: number;
  n: number;
  tMin: number;
  tMax: number;
  body: Uint8Array;
}

/**
 * Regroups samples as they were received into blocks of neighbouring tags within one hour. Inside a block the samples
 * of a tag are in order of time; of equal times the first to arrive comes first.
 * @throws AppError `block.invalid`
 */
export function regroup(blocks: readonly BlockColumns[], compression: Compression): GroupBlock[] {
  const all = gather(blocks);
  const done: GroupBlock[] = [];
  for (let s = 0; s < all.seriesCount; ) {
    const groupNo = groupOf(all.tagNos[s]!);
    let end = s + 1;
    while (end < all.seriesCount && groupOf(all.tagNos[end]!) === groupNo) end++;
    const span = plainSpan(all, s, end);
    if (span !== null && isSmall(all, s, end)) {
      const view = viewOf(all, s, end);
      const body = encodeChunkColumns(view, compression);
      done.push({ groupNo, hourNo: hourOf(span.tMin), n: view.sampleCount, ...span, body });
    } else splitByHour(all, s, end, compression, done);
    s = end;
  }
  return done;
}

/** The span of series [from, to) when all are in order of time and within one hour: the usual case. */
function plainSpan(columns: BlockColumns, from: number, to: number): { tMin: number; tMax: number } | null {
  const { timesMs, starts } = columns;
  let tMin = Number.POSITIVE_INFINITY;
  let tMax = Number.NEGATIVE_INFINITY;
  for (let s = from; s < to; s++) {
    let before = timesMs[starts[s]!]!;
    if (before < tMin) tMin = before;
    for (let i = starts[s]! + 1; i < starts[s + 1]!; i++) {
      const timeMs = timesMs[i]!;
      if (timeMs < before) return null;
      before = timeMs;
    }
    if (before > tMax) tMax = before;
  }
  return hourOf(tMin) === hourOf(tMax) ? { tMin, tMax } : null;
}

/** Whether one block surely holds these series. Long texts can be too much for it; then the group may be halved. */
function isSmall(columns: BlockColumns, from: number, to: number): boolean {
  if (columns.starts[to]! - columns.starts[from]! > LIMITS.blockSamplesMax) return false;
  let characters = 0;
  for (let s = from; columns.texts !== null && s < to; s++)
    for (const text of columns.texts[s]!) characters += text.length;
  return characters <= TEXT_CHARACTERS_MAX;
}

/** Series [from, to) as columns of their own that share the samples. */
function viewOf(columns: BlockColumns, from: number, to: number): BlockColumns {
  const begin = columns.starts[from]!;
  const end = columns.starts[to]!;
  const slots = columns.doubles.buffer;
  const at = begin * 8;
  const count = end - begin;
  return {
    seriesCount: to - from,
    sampleCount: count,
    tagNos: columns.tagNos.subarray(from, to),
    kinds: columns.kinds.subarray(from, to),
    starts: columns.starts.subarray(from, to + 1).map((start) => start - begin),
    flags: columns.flags.subarray(from, to),
    timesMs: columns.timesMs.subarray(begin, end),
    quality: columns.quality.subarray(begin, end),
    nulls: columns.nulls?.subarray(begin, end) ?? null,
    receivedMs: columns.receivedMs?.subarray(begin, end) ?? null,
    doubles: new Float64Array(slots, at, count),
    int64s: new BigInt64Array(slots, at, count),
    uint64s: new BigUint64Array(slots, at, count),
    words: new Uint32Array(slots, at, count * 2),
    booleans: columns.booleans.subarray(begin, end),
    texts: columns.texts?.slice(from, to) ?? null,
  };
}

function splitByHour(
  columns: BlockColumns,
  from: number,
  to: number,
  compression: Compression,
  into: GroupBlock[],
): void {
  const hours = new Map<number, Series[]>();
  for (let s = from; s < to; s++) {
    const series = mergeSeries([seriesAt(columns, s)]);
    const { timesMs } = series;
    for (let i = 0; i < timesMs.length; ) {
      const hourNo = hourOf(timesMs[i]!);
      const end = lowerBound(timesMs, (hourNo + 1) * HOUR_MS);
      const part = sliceSeries(series, i, end);
      const known = hours.get(hourNo);
      if (known) known.push(part);
      else hours.set(hourNo, [part]);
      i = end;
    }
  }
  const groupNo = groupOf(columns.tagNos[from]!);
  for (const [hourNo, series] of [...hours].sort(([a], [b]) => a - b))
    encodeGroup(groupNo, hourNo, series, compression, into);
}

/** One block, or halves of it where it is too much for one. Earlier samples of a tag stay in the earlier block. */
function encodeGroup(
  groupNo: number,
  hourNo: number,
  series: readonly Series[],
  compression: Compression,
  into: GroupBlock[],
): void {
  const n = series.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
  try {
    const body = encodeChunk(series, compression);
    into.push({
      groupNo,
      hourNo,
      n,
      tMin: Math.min(...series.map(({ timesMs }) => timesMs[0]!)),
      tMax: Math.max(...series.map(({ timesMs }) => timesMs.at(-1)!)),
      body,
    });
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "block.limit" || n === 1) throw thrown;
    const only = series[0]!;
    const middle = only.timesMs.length >>> 1;
    const halves =
      series.length > 1
        ? [series.slice(0, series.length >>> 1), series.slice(series.length >>> 1)]
        : [[sliceSeries(only, 0, middle)], [sliceSeries(only, middle, only.timesMs.length)]];
    for (const half of halves) encodeGroup(groupNo, hourNo, half, compression, into);
  }
}
