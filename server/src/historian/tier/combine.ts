import type { TagValue } from "@millrace/contract/vocabulary/value";
import { TierBuilder } from "./builder.ts";
import { exactOf } from "./series.ts";
import type { TierColumns } from "./tier.ts";

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

/** A stretch among those added up. */
interface Place {
  tier: TierColumns;
  i: number;
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
  /** Where the figures are that doubles cannot hold: making a 64-bit integer of every stretch costs more than all else. */
  exact: { min: Place | null; max: Place | null; first: Place | null; last: Place | null };
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
    if (hasExact) placeRange(sums, tier, i);
    if (!(sums.min <= min)) sums.min = min;
    if (!(sums.max >= max)) sums.max = max;
  }
  if (isFirst) sums.first = tier.first[i]!;
  sums.last = tier.last[i]!;
  if (!hasExact) return;
  if (isFirst) sums.exact.first = { tier, i };
  sums.exact.last = moved(sums.exact.last, tier, i);
}

/** Rounding keeps order: doubles that differ decide, and only of equal ones what was rounded is looked at. */
function placeRange({ min, max, exact }: Sums, tier: TierColumns, i: number): void {
  const isLeast = exact.min === null || tier.min[i]! < min;
  const isGreatest = exact.max === null || tier.max[i]! > max;
  if (isLeast || (tier.min[i] === min && isBelow("min", { tier, i }, exact.min!)))
    exact.min = moved(exact.min, tier, i);
  if (isGreatest || (tier.max[i] === max && isBelow("max", exact.max!, { tier, i })))
    exact.max = moved(exact.max, tier, i);
}

const isBelow = (figure: "min" | "max", a: Place, b: Place): boolean =>
  exactOf(a.tier, figure, a.i)! < exactOf(b.tier, figure, b.i)!;

function moved(place: Place | null, tier: TierColumns, i: number): Place {
  if (place === null) return { tier, i };
  place.tier = tier;
  place.i = i;
  return place;
}

function put(builder: TierBuilder, sums: Sums, hasExact: boolean): void {
  builder.open(sums.startMs, sums.count, sums.uncertain, sums.bad);
  if (sums.count === 0) return;
  builder.numbers(sums.min, sums.max, sums.sum, sums.first, sums.last);
  if (!hasExact) return;
  const value = (figure: "min" | "max" | "first" | "last"): TagValue => {
    const place = sums.exact[figure];
    return place === null ? null : exactOf(place.tier, figure, place.i);
  };
  builder.exact(value("min"), value("max"), value("first"), value("last"));
}
