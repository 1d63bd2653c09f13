import type { Series } from "@millrace/contract/block/series";

const BAD_MIN = 128;

/** Sum of value × ms, and the ms over which a value was known. */
export interface Weighted {
  area: number;
  knownMs: number;
}

/**
 * How long each value stood in [fromMs, toMs): from its sample to the next one of any quality. Only samples inside
 * count, so the figure of an hour depends on its own samples alone and late ones in the hour before do not change it.
 *
 * @param series of one tag and a kind with numbers, in order of time; 64-bit integers count as the nearest double
 */
export function weightedOf(series: Series, fromMs: number, toMs: number): Weighted {
  const sum: Weighted = { area: 0, knownMs: 0 };
  if (series.kind === "text") return sum;
  const { timesMs, quality, nulls, values } = series;
  const count = timesMs.length;
  for (let i = 0; i < count; i++) {
    const timeMs = timesMs[i]!;
    if (timeMs < fromMs || timeMs >= toMs) continue;
    const endMs = i + 1 < count ? Math.min(timesMs[i + 1]!, toMs) : toMs;
    if (endMs === timeMs || quality[i]! >= BAD_MIN || (nulls !== null && nulls[i] !== 0)) continue;
    const value = Number(values[i]!);
    if (value - value !== 0) continue;
    sum.area += value * (endMs - timeMs);
    sum.knownMs += endMs - timeMs;
  }
  return sum;
}

/** Mean weighted by time; null where nothing was known. Kinds are weighted apart, each as if it were alone. */
export function weightedMean(series: readonly Series[], fromMs: number, toMs: number): number | null {
  const total: Weighted = { area: 0, knownMs: 0 };
  for (const one of series) {
    const { area, knownMs } = weightedOf(one, fromMs, toMs);
    total.area += area;
    total.knownMs += knownMs;
  }
  return total.knownMs === 0 ? null : total.area / total.knownMs;
}
