import type { Series } from "@millrace/contract/block/series";
import type { QualityCode } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";

/** Value of one sample; null when it has none. */
export function valueIn(series: Series, i: number): TagValue {
  if (series.nulls !== null && series.nulls[i] !== 0) return null;
  return series.kind === "boolean" ? series.values[i] === 1 : (series.values[i] ?? null);
}

export type Visit = (tagNo: number, timeMs: number, value: TagValue, quality: QualityCode) => void;

/**
 * Visits samples of several series, each in order of time, in order of time. Of equal times the series that is listed
 * first comes first.
 */
export function eachSample(all: readonly Series[], visit: Visit): void {
  for (const _ of samplesInTurn(all, visit, Number.POSITIVE_INFINITY)) {
    // One turn, however many there are.
  }
}

/** The same, with a pause after each `turn` samples. */
export function* samplesInTurn(all: readonly Series[], visit: Visit, turn: number): Generator<void, void> {
  const at = new Uint32Array(all.length);
  let since = 0;
  for (;;) {
    let next = -1;
    let timeMs = Number.POSITIVE_INFINITY;
    for (let s = 0; s < all.length; s++) {
      const i = at[s]!;
      const { timesMs } = all[s]!;
      if (i < timesMs.length && timesMs[i]! < timeMs) {
        timeMs = timesMs[i]!;
        next = s;
      }
    }
    if (next < 0) return;
    const series = all[next]!;
    const i = at[next]!++;
    visit(series.tagNo, timeMs, valueIn(series, i), series.quality[i]!);
    if (++since === turn) {
      since = 0;
      yield;
    }
  }
}
