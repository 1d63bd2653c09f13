import type { TagValue } from "@millrace/contract/vocabulary/value";
import type { TierColumns } from "./tier.ts";
import { TierBuilder } from "./tier-builder.ts";
import { exactOf, greatestOf, leastOf } from "./tier-series.ts";

/** Consecutive stretches of one tag as one; `parts` in order of time and disjoint. Nothing is added up. */
export function concatTiers(parts: readonly TierColumns[]): TierColumns {
  if (parts.length === 1) return parts[0]!;
  return appendAll(parts, null, 0);
}

/**
 * Figures of longer stretches, which begin at multiples of `intervalMs` after `originMs`, from those of shorter ones.
 * Each fine stretch must lie inside one coarse one.
 */
export function combineTiers(fine: TierColumns, intervalMs: number, originMs = 0): TierColumns {
  return isCoarse(fine, intervalMs, originMs) ? fine : appendAll([fine], intervalMs, originMs);
}

/** Whether each stretch is a coarse one already, as with hours that are asked for by the hour. */
function isCoarse({ startMs, length }: TierColumns, intervalMs: number, originMs: number): boolean {
  for (let i = 0; i < length; i++)
    if ((startMs[i]! - originMs) % intervalMs !== 0 || startMs[i] === startMs[i - 1]) return false;
  return true;
}

interface Sums {
  startMs: number;
  endMs: number;
  count: number;
  uncertain: number;
  bad: number;
  min: number;
  max: number;
  sum: number;
  first: number;
  last: number;
  exact: { min: TagValue; max: TagValue; first: TagValue; last: TagValue };
}

const emptySums = (startMs: number, endMs: number): Sums => ({
  startMs,
  endMs,
  count: 0,
  uncertain: 0,
  bad: 0,
  min: Number.NaN,
  max: Number.NaN,
  sum: Number.NaN,
  first: Number.NaN,
  last: Number.NaN,
  exact: { min: null, max: null, first: null, last: null },
});

function appendAll(parts: readonly TierColumns[], intervalMs: number | null, originMs: number): TierColumns {
  const hasExact = parts.some(({ exact }) => exact !== null);
  const hasRange = parts.some(({ exact }) => exact !== null && exact.min !== null);
  const builder = new TierBuilder(hasExact, hasRange);
  let sums: Sums | null = null;
  for (const tier of parts) {
    for (let i = 0; i < tier.length; i++) {
      const timeMs = tier.startMs[i]!;
      if (sums === null || intervalMs === null || timeMs >= sums.endMs) {
        if (sums !== null) put(builder, sums, hasExact);
        const startMs: number =
          intervalMs === null ? timeMs : Math.floor((timeMs - originMs) / intervalMs) * intervalMs + originMs;
        sums = emptySums(startMs, startMs + (intervalMs ?? 0));
      }
      add(sums, tier, i, hasExact);
    }
  }
  if (sums !== null) put(builder, sums, hasExact);
  return builder.finish().tier;
}

function add(sums: Sums, tier: TierColumns, i: number, hasExact: boolean): void {
  sums.uncertain += tier.uncertain[i]!;
  sums.bad += tier.bad[i]!;
  const count = tier.count[i]!;
  if (count === 0) return;
  const isFirst = sums.count === 0;
  sums.count += count;
  const min = tier.min[i]!;
  const max = tier.max[i]!;
  // Text beside numbers has none and changes nothing.
  if (!Number.isNaN(min)) {
    const sum = tier.sum[i]!;
    sums.sum = Number.isNaN(sums.min) ? sum : sums.sum + sum;
    if (!(sums.min <= min)) sums.min = min;
    if (!(sums.max >= max)) sums.max = max;
  }
  if (isFirst) sums.first = tier.first[i]!;
  sums.last = tier.last[i]!;
  if (!hasExact) return;
  const { exact } = sums;
  if (!Number.isNaN(min)) {
    exact.min = leastOf([exact.min, exactOf(tier, "min", i)]);
    exact.max = greatestOf([exact.max, exactOf(tier, "max", i)]);
  }
  if (isFirst) exact.first = exactOf(tier, "first", i);
  exact.last = exactOf(tier, "last", i);
}

function put(builder: TierBuilder, sums: Sums, hasExact: boolean): void {
  builder.open(sums.startMs, sums.count, sums.uncertain, sums.bad);
  if (sums.count === 0) return;
  builder.numbers(sums.min, sums.max, sums.sum, sums.first, sums.last);
  if (hasExact) builder.exact(sums.exact.min, sums.exact.max, sums.exact.first, sums.exact.last);
}
