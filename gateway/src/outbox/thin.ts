import type { BlockColumns } from "@millrace/contract/block/columns";
import { seriesOfColumns } from "@millrace/contract/block/columns";
import type { Series } from "@millrace/contract/block/series";
import { qualityLevel } from "@millrace/contract/vocabulary/quality";
import { ROLLUP_MS, type Rollup } from "@millrace/contract/wire/rollup";

export interface Thinned {
  rollup: Rollup<Series[]>;
  samples: number;
  kept: number;
}

/** One sample by its place: series of the tag, index in it. */
interface Place {
  part: Series;
  at: number;
}

interface Minute {
  firstMs: number;
  count: number;
  sum: number;
  summed: number;
  least: Place | null;
  greatest: Place | null;
  last: Place;
}

const NUMERIC: ReadonlySet<Series["kind"]> = new Set(["double", "int64", "uint64", "boolean"]);
const AVERAGED: ReadonlySet<Series["kind"]> = new Set(["double", "int64", "uint64"]);

/**
 * Thins the samples of consecutive blocks to one-minute figures (`delivery.md` 2.6). What stays are true samples: of
 * each tag and minute the least, the greatest and the last, and every sample at which the quality changed; beside them
 * the mean and the number. Samples keep their order of arrival within a tag.
 */
export function thin(blocks: readonly BlockColumns[]): Thinned {
  const tags = new Map<string, Series[]>();
  let samples = 0;
  for (const block of blocks) {
    samples += block.sampleCount;
    for (const series of seriesOfColumns(block)) {
      const name = `${series.tagNo}/${series.kind}`;
      const parts = tags.get(name);
      if (parts) parts.push(series);
      else tags.set(name, [series]);
    }
  }
  const into: Collected = { kept: [], means: new Map(), counts: new Map() };
  for (const parts of tags.values()) thinTag(parts, into);
  const kept = into.kept.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
  const rollup = { kept: into.kept, means: doublesOf(into.means), counts: doublesOf(into.counts) };
  return { rollup, samples, kept };
}

/** Figures by tag number: a tag whose kind changed in between still has one series of them. */
type Figures = Map<number, { timesMs: number[]; values: number[] }>;

interface Collected {
  kept: Series[];
  means: Figures;
  counts: Figures;
}

function thinTag(parts: readonly Series[], into: Collected): void {
  const minutes = new Map<number, Minute>();
  const keep: Place[] = [];
  let quality = -1;
  for (const part of parts) {
    for (let at = 0; at < part.timesMs.length; at++) {
      const place = { part, at };
      if (part.quality[at] !== quality) keep.push(place);
      quality = part.quality[at]!;
      count(minutes, place);
    }
  }
  for (const { least, greatest, last } of minutes.values())
    for (const place of [least, greatest, last]) if (place) keep.push(place);
  into.kept.push(pick(distinct(keep, parts)));
  const { tagNo, kind } = parts[0]!;
  for (const { firstMs, count, sum, summed } of minutes.values()) {
    add(into.counts, tagNo, firstMs, count);
    if (AVERAGED.has(kind) && summed > 0) add(into.means, tagNo, firstMs, sum / summed);
  }
}

function add(figures: Figures, tagNo: number, timeMs: number, value: number): void {
  const known = figures.get(tagNo) ?? { timesMs: [], values: [] };
  figures.set(tagNo, known);
  known.timesMs.push(timeMs);
  known.values.push(value);
}

function count(minutes: Map<number, Minute>, place: Place): void {
  const timeMs = place.part.timesMs[place.at]!;
  const minute = Math.floor(timeMs / ROLLUP_MS);
  let figures = minutes.get(minute);
  if (!figures) {
    figures = { firstMs: timeMs, count: 0, sum: 0, summed: 0, least: null, greatest: null, last: place };
    minutes.set(minute, figures);
  }
  figures.count++;
  figures.firstMs = Math.min(figures.firstMs, timeMs);
  figures.last = place;
  const value = numberOf(place);
  if (value === null) return;
  figures.sum += value;
  figures.summed++;
  if (figures.least === null || value < numberOf(figures.least)!) figures.least = place;
  if (figures.greatest === null || value > numberOf(figures.greatest)!) figures.greatest = place;
}

/** The value as a number to compare with; null where there is none that means anything. */
function numberOf({ part, at }: Place): number | null {
  if (!NUMERIC.has(part.kind) || part.nulls?.[at] === 1 || qualityLevel(part.quality[at]!) === "bad")
    return null;
  const value = Number(part.values[at]);
  return Number.isFinite(value) ? value : null;
}

/** Each place once, in order of arrival. */
function distinct(places: readonly Place[], parts: readonly Series[]): Place[] {
  const orderOf = new Map(parts.map((part, order) => [part, order]));
  const seen = new Map<Series, Set<number>>();
  const found: Place[] = [];
  for (const place of places) {
    const known = seen.get(place.part) ?? new Set<number>();
    seen.set(place.part, known);
    if (known.has(place.at)) continue;
    known.add(place.at);
    found.push(place);
  }
  return found.sort((a, b) => orderOf.get(a.part)! - orderOf.get(b.part)! || a.at - b.at);
}

function pick(places: readonly Place[]): Series {
  const { tagNo, kind } = places[0]!.part;
  const column = <T>(of: (place: Place) => T) => places.map(of);
  const nulls = Uint8Array.from(column(({ part, at }) => part.nulls?.[at] ?? 0));
  const hasReceived = places.some(({ part }) => part.receivedMs !== null);
  const base = {
    tagNo,
    timesMs: Float64Array.from(column(({ part, at }) => part.timesMs[at]!)),
    quality: Uint8Array.from(column(({ part, at }) => part.quality[at]!)),
    nulls: nulls.includes(1) ? nulls : null,
    receivedMs: hasReceived
      ? Float64Array.from(column(({ part, at }) => part.receivedMs?.[at] ?? part.timesMs[at]!))
      : null,
  };
  const values = column(({ part, at }) => part.values[at]!);
  switch (kind) {
    case "double":
      return { ...base, kind, values: Float64Array.from(values as number[]) };
    case "int64":
      return { ...base, kind, values: BigInt64Array.from(values as bigint[]) };
    case "uint64":
      return { ...base, kind, values: BigUint64Array.from(values as bigint[]) };
    case "boolean":
      return { ...base, kind, values: Uint8Array.from(values as number[]) };
    case "text":
      return { ...base, kind, values: values as string[] };
  }
}

const doublesOf = (figures: Figures): Series[] =>
  Array.from(figures, ([tagNo, { timesMs, values }]) => ({
    tagNo,
    kind: "double",
    timesMs: Float64Array.from(timesMs),
    values: Float64Array.from(values),
    quality: new Uint8Array(timesMs.length),
    nulls: null,
    receivedMs: null,
  }));
