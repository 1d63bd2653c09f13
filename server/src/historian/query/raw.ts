import type { Series } from "@millrace/contract/block/series";
import { lowerBound, sliceSeries } from "../compaction/merge.ts";
import type { ReadContext } from "./context.ts";
import { QUERY } from "./limits.ts";
import type { Span } from "./store.ts";
import { readWindow, windowsOf } from "./window.ts";

/** Fewer are not worth a window of their own: a stored block has as many. */
const PAGE_SAMPLES_MIN = 65_536;

export interface RawPage {
  /** By tag, windows after one another; within a window at most one series a kind. */
  series: Map<number, Series[][]>;
  /** Where the next page begins; null when this one is all. */
  nextMs: number | null;
}

/** The first `limit` samples over all tags, cut so that no millisecond is torn between two pages. */
export async function readRawPage(
  context: ReadContext,
  tagNos: readonly number[],
  range: Span,
  limit: number,
): Promise<RawPage> {
  const series = new Map<number, Series[][]>(tagNos.map((tagNo) => [tagNo, []]));
  const samplesMax = Math.min(QUERY.windowSamplesMax, Math.max(PAGE_SAMPLES_MIN, 2 * limit));
  const read = (span: Span) => readWindow(context, tagNos, span, samplesMax);
  let rows = 0;
  for await (const window of windowsOf(range, QUERY.windowMsFirst, read)) {
    for (const [tagNo, found] of window.series) {
      series.get(tagNo)!.push(found);
      for (const { timesMs } of found) rows += timesMs.length;
    }
    if (rows <= limit) continue;
    const borderMs = borderOf([...series.values()].flat(2), window.span, limit);
    cutAll(series, borderMs);
    return { series, nextMs: borderMs };
  }
  return { series, nextMs: null };
}

/**
 * The time from which on samples belong to the next page: the latest by which at most `limit` are left, and at least
 * one is. More samples in one millisecond than fit a page are true, and asking again would not end.
 */
export function borderOf(all: readonly Series[], { toMs }: Span, limit: number): number {
  const before = (timeMs: number) => all.reduce((sum, { timesMs }) => sum + lowerBound(timesMs, timeMs), 0);
  let low = Math.min(...all.map(({ timesMs }) => timesMs[0]!)) + 1;
  let high = toMs;
  // The greatest time in [low, high] with at most `limit` samples before it; `low` if even that has more.
  while (low < high) {
    const middle = low + Math.ceil((high - low) / 2);
    if (before(middle) <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}

function cutAll(series: Map<number, Series[][]>, borderMs: number): void {
  for (const [tagNo, windows] of series) {
    const kept = windows.map((kinds) =>
      kinds
        .map((one) => sliceSeries(one, 0, lowerBound(one.timesMs, borderMs)))
        .filter(({ timesMs }) => timesMs.length > 0),
    );
    series.set(
      tagNo,
      kept.filter((kinds) => kinds.length > 0),
    );
  }
}
