import type { Series } from "@millrace/contract/block/series";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { TierBuilder, type TimedTier } from "./builder.ts";
import type { TierColumns } from "./tier.ts";

/** Codes from here on are bad (`vocabulary/quality.ts`). */
const BAD_MIN = 128;
const UNCERTAIN_MIN = 64;

/**
 * Figures of one tag in stretches of `intervalMs` that begin at multiples of it after `originMs`.
 * @param series of one tag, at most one a kind, each in order of time
 */
export function tierOfSeries(series: readonly Series[], intervalMs: number, originMs = 0): TierColumns {
  const tiers = series.map((one) => tierOfOne(one, intervalMs, originMs));
  return tiers.length === 1 ? tiers[0]!.tier : mixTiers(tiers);
}

function tierOfOne(series: Series, intervalMs: number, originMs: number): TimedTier {
  const { timesMs, quality, nulls } = series;
  const numbers = numbersOf(series);
  const exact = series.kind === "int64" || series.kind === "uint64" || series.kind === "text";
  const builder = new TierBuilder(exact, series.kind !== "text");
  const count = timesMs.length;
  for (let from = 0; from < count; ) {
    const startMs = Math.floor((timesMs[from]! - originMs) / intervalMs) * intervalMs + originMs;
    const endMs = startMs + intervalMs;
    let usable = 0;
    let uncertain = 0;
    let sum = 0;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    let minAt = -1;
    let maxAt = -1;
    let first = -1;
    let last = -1;
    let i = from;
    for (; i < count && timesMs[i]! < endMs; i++) {
      const code = quality[i]!;
      if (code >= BAD_MIN || (nulls !== null && nulls[i] !== 0)) continue;
      if (numbers !== null) {
        const value = numbers[i]!;
        // NaN and the infinities alone differ from zero here.
        if (value - value !== 0) continue;
        sum += value;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      if (first < 0) first = i;
      last = i;
      usable++;
      if (code >= UNCERTAIN_MIN) uncertain++;
    }
    if (exact && series.kind !== "text" && usable > 0) [minAt, maxAt] = extremes(series, from, i);
    builder.open(startMs, usable, uncertain, i - from - usable);
    if (usable > 0) {
      if (numbers !== null) builder.numbers(min, max, sum, numbers[first]!, numbers[last]!);
      builder.times(timesMs[first]!, timesMs[last]!);
      if (exact) {
        const at = (index: number): TagValue => (index < 0 ? null : (series.values[index] as TagValue));
        builder.exact(at(minAt), at(maxAt), at(first), at(last));
      }
    }
    from = i;
  }
  return builder.finish();
}

/** Indexes of the least and the greatest usable 64-bit integer in [from, to). */
function extremes(series: Series & { kind: "int64" | "uint64" }, from: number, to: number): [number, number] {
  const { values, quality, nulls } = series;
  let min = -1;
  let max = -1;
  for (let i = from; i < to; i++) {
    if (quality[i]! >= BAD_MIN || (nulls !== null && nulls[i] !== 0)) continue;
    if (min < 0 || values[i]! < values[min]!) min = i;
    if (max < 0 || values[i]! > values[max]!) max = i;
  }
  return [min, max];
}

/** Values as doubles; null for text. */
function numbersOf(series: Series): Float64Array | Uint8Array | null {
  switch (series.kind) {
    case "double":
      return series.values;
    case "boolean":
      return series.values;
    case "text":
      return null;
    default: {
      const { values } = series;
      const numbers = new Float64Array(values.length);
      for (let i = 0; i < values.length; i++) numbers[i] = Number(values[i]!);
      return numbers;
    }
  }
}

/** A tag whose type was changed inside the stretch: figures of its kinds, put together by time. */
function mixTiers(tiers: readonly TimedTier[]): TierColumns {
  const hasExact = tiers.some(({ tier }) => tier.exact !== null);
  const hasExactRange = tiers.some(({ tier }) => tier.exact !== null && tier.exact.min !== null);
  const builder = new TierBuilder(hasExact, hasExactRange);
  const at = tiers.map(() => 0);
  for (;;) {
    let startMs = Number.POSITIVE_INFINITY;
    tiers.forEach(({ tier }, t) => {
      if (at[t]! < tier.length) startMs = Math.min(startMs, tier.startMs[at[t]!]!);
    });
    if (startMs === Number.POSITIVE_INFINITY) return builder.finish().tier;
    const here = tiers.flatMap((timed, t) =>
      at[t]! < timed.tier.length && timed.tier.startMs[at[t]!] === startMs ? [{ timed, i: at[t]!++ }] : [],
    );
    mixOne(builder, startMs, here, hasExact);
  }
}

function mixOne(
  builder: TierBuilder,
  startMs: number,
  here: readonly { timed: TimedTier; i: number }[],
  hasExact: boolean,
): void {
  const total = (pick: (tier: TierColumns) => Uint32Array) =>
    here.reduce((sum, { timed, i }) => sum + pick(timed.tier)[i]!, 0);
  builder.open(
    startMs,
    total((tier) => tier.count),
    total((tier) => tier.uncertain),
    total((tier) => tier.bad),
  );
  const used = here.filter(({ timed, i }) => timed.tier.count[i]! > 0);
  if (used.length === 0) return;
  // Of equal times the kind that is listed first counts as the earlier one.
  const first = used.reduce((a, b) => (b.timed.firstMs[b.i]! < a.timed.firstMs[a.i]! ? b : a));
  const last = used.reduce((a, b) => (b.timed.lastMs[b.i]! >= a.timed.lastMs[a.i]! ? b : a));
  const numeric = used.filter(({ timed, i }) => !Number.isNaN(timed.tier.min[i]!));
  const number = (figure: "min" | "max" | "sum") => numeric.map(({ timed, i }) => timed.tier[figure][i]!);
  const none = numeric.length === 0;
  builder.numbers(
    none ? Number.NaN : Math.min(...number("min")),
    none ? Number.NaN : Math.max(...number("max")),
    none ? Number.NaN : number("sum").reduce((sum, one) => sum + one, 0),
    first.timed.tier.first[first.i]!,
    last.timed.tier.last[last.i]!,
  );
  if (!hasExact) return;
  const min = leastOf(numeric.map(({ timed, i }) => exactOf(timed.tier, "min", i)));
  const max = greatestOf(numeric.map(({ timed, i }) => exactOf(timed.tier, "max", i)));
  builder.exact(
    min,
    max,
    exactOf(first.timed.tier, "first", first.i),
    exactOf(last.timed.tier, "last", last.i),
  );
}

/** The figure as exactly as it is known. */
export function exactOf(tier: TierColumns, figure: "min" | "max" | "first" | "last", i: number): TagValue {
  const exact = tier.exact?.[figure]?.[i] ?? null;
  if (exact !== null) return exact;
  const number = tier[figure][i]!;
  return Number.isNaN(number) ? null : number;
}

/** JavaScript compares a 64-bit integer with a double exactly. */
export const leastOf = (values: readonly TagValue[]): TagValue =>
  values.reduce((a, b) => (a === null || (b !== null && b < a) ? b : a), null);
export const greatestOf = (values: readonly TagValue[]): TagValue =>
  values.reduce((a, b) => (a === null || (b !== null && b > a) ? b : a), null);
