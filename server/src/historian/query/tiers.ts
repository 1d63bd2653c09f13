import { concatTiers } from "../tier/combine.ts";
import type { TierColumns } from "../tier/tier.ts";

/** The stretches at these places. */
function pickTier(tier: TierColumns, places: readonly number[]): TierColumns {
  const numbers = (column: Float64Array) => Float64Array.from(places, (i) => column[i]!);
  const counts = (column: Uint32Array) => Uint32Array.from(places, (i) => column[i]!);
  const { exact } = tier;
  return {
    length: places.length,
    startMs: numbers(tier.startMs),
    count: counts(tier.count),
    uncertain: counts(tier.uncertain),
    bad: counts(tier.bad),
    min: numbers(tier.min),
    max: numbers(tier.max),
    sum: numbers(tier.sum),
    first: numbers(tier.first),
    last: numbers(tier.last),
    exact: exact && {
      min: exact.min && places.map((i) => exact.min![i]!),
      max: exact.max && places.map((i) => exact.max![i]!),
      first: places.map((i) => exact.first[i]!),
      last: places.map((i) => exact.last[i]!),
    },
  };
}

/** The stretches that begin where `keep` says so; the tier itself when that is all of them. */
export function filterTier(tier: TierColumns, keep: (startMs: number) => boolean): TierColumns {
  const kept: number[] = [];
  for (let i = 0; i < tier.length; i++) if (keep(tier.startMs[i]!)) kept.push(i);
  return kept.length === tier.length ? tier : pickTier(tier, kept);
}

/**
 * Figures of one tag from several places in order of time. Of stretches with one beginning, which are parts of one
 * stretch, the order stays: those read first are the earlier ones.
 */
export function orderTiers(parts: readonly TierColumns[]): TierColumns {
  const filled = parts.filter(({ length }) => length > 0).sort((a, b) => a.startMs[0]! - b.startMs[0]!);
  if (filled.length === 0) return EMPTY;
  const all = concatTiers(filled);
  const { startMs } = all;
  if (startMs.every((ms, i) => i === 0 || ms >= startMs[i - 1]!)) return all;
  const places = Array.from(startMs, (_, i) => i).sort((a, b) => startMs[a]! - startMs[b]! || a - b);
  return pickTier(all, places);
}

const EMPTY: TierColumns = {
  length: 0,
  startMs: new Float64Array(0),
  count: new Uint32Array(0),
  uncertain: new Uint32Array(0),
  bad: new Uint32Array(0),
  min: new Float64Array(0),
  max: new Float64Array(0),
  sum: new Float64Array(0),
  first: new Float64Array(0),
  last: new Float64Array(0),
  exact: null,
};
