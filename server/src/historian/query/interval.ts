import { DAY_MS, HOUR_MS, MINUTE_MS } from "../slot.ts";

const SECOND_MS = 1_000;
const UNITS: Record<string, number> = { ms: 1, s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** Every step divides a minute, an hour or a day, or is whole days: so buckets fall together with stored figures. */
const FRIENDLY_MS: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((s) => s * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((m) => m * MINUTE_MS),
  ...[1, 2, 3, 4, 6, 8, 12].map((h) => h * HOUR_MS),
  ...[1, 2, 5, 10, 20, 50, 100].map((d) => d * DAY_MS),
];

/** `500ms`, `10s`, `1m`, `1h`, `1d`, or a number of ms. Null for anything else, and for what is no whole ms. */
export function parseInterval(text: string): number | null {
  const found = /^(\d{1,12})(ms|s|m|h|d)?$/.exec(text);
  if (found === null) return null;
  const ms = Number(found[1]) * UNITS[found[2] ?? "ms"]!;
  return ms >= 1 && Number.isSafeInteger(ms) ? ms : null;
}

/** Shortest friendly interval that shows the range in at most `width` buckets, not counting a cut one at an end. */
export function intervalForWidth(rangeMs: number, width: number): number {
  const needMs = rangeMs / width;
  const friendly = FRIENDLY_MS.find((ms) => ms >= needMs);
  const longest = FRIENDLY_MS.at(-1)!;
  return friendly ?? Math.ceil(needMs / longest) * longest;
}

/** Start of the bucket a time falls into: a multiple of the interval since 1970 UTC, also before 1970. */
export const bucketOf = (timeMs: number, intervalMs: number): number =>
  Math.floor(timeMs / intervalMs) * intervalMs;
