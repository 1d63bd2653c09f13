import { type BlockColumns, seriesAt } from "@millrace/contract/block/columns";
import { KIND, type Series } from "@millrace/contract/block/series";
import { QUALITY, qualityLevel } from "@millrace/contract/vocabulary/quality";
import { isSorted, lowerBound, mergeSeries, sliceSeries } from "../compaction/merge.ts";
import type { Span } from "./store.ts";

/** Samples of each tag: at most one series a kind, each in order of time. Tags without samples are left out. */
export type SeriesByTag = Map<number, Series[]>;

/**
 * Gathers what the levels hold of some tags inside a span. Blocks are to be added in the order in which their samples
 * arrived, because of two samples with one time the first to arrive comes first.
 */
export class Pieces {
  readonly #parts = new Map<number, Series[][]>();

  constructor(
    tagNos: Iterable<number>,
    private readonly span: Span,
  ) {
    for (const tagNo of tagNos) this.#parts.set(tagNo, []);
  }

  /** @param believedToMs later samples are uncertain by their clock: the value is true, its time is not */
  add(columns: BlockColumns, believedToMs = Number.POSITIVE_INFINITY): void {
    for (let s = 0; s < columns.seriesCount; s++) {
      const kinds = this.#parts.get(columns.tagNos[s]!);
      if (kinds === undefined) continue;
      const found = clip(seriesAt(columns, s), this.span);
      if (found === null) continue;
      const kind = KIND[found.kind];
      kinds[kind] ??= [];
      kinds[kind].push(doubted(found, believedToMs));
    }
  }

  finish(): SeriesByTag {
    const merged: SeriesByTag = new Map();
    for (const [tagNo, kinds] of this.#parts) {
      const series = kinds.filter((parts) => parts !== undefined).map((parts) => mergeSeries(parts));
      if (series.length > 0) merged.set(tagNo, series);
    }
    return merged;
  }
}

/** The samples inside the span, in order of time; null when there are none. Views where the series is in order. */
export function clip(series: Series, { fromMs, toMs }: Span): Series | null {
  const sorted = isSorted(series.timesMs) ? series : mergeSeries([series]);
  const from = lowerBound(sorted.timesMs, fromMs);
  const to = lowerBound(sorted.timesMs, toMs);
  return from < to ? sliceSeries(sorted, from, to) : null;
}

/** Columns may be shared with others, so what is doubted gets qualities of its own. */
function doubted(series: Series, believedToMs: number): Series {
  if (!(series.timesMs.at(-1)! > believedToMs)) return series;
  const quality = series.quality.slice();
  for (let i = 0; i < quality.length; i++)
    if (series.timesMs[i]! > believedToMs && qualityLevel(quality[i]!) === "good")
      quality[i] = QUALITY["uncertain.clock"];
  return { ...series, quality };
}
