import { expect, test } from "bun:test";
import { bucketOf, intervalForWidth, parseInterval } from "./interval.ts";

test("an interval is a number with a unit, or ms", () => {
  const table: [string, number | null][] = [
    ["500ms", 500],
    ["500", 500],
    ["10s", 10_000],
    ["1m", 60_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
    ["90m", 5_400_000],
    ["0", null],
    ["0s", null],
    ["1.5s", null],
    ["-1s", null],
    ["NaN", null],
    ["", null],
    ["1w", null],
    ["999999999999d", null],
  ];
  for (const [text, ms] of table) expect([text, parseInterval(text)]).toEqual([text, ms]);
});

test("a width gives the next friendly interval", () => {
  const hour = 3_600_000;
  const table: [number, number, number][] = [
    [1_000, 1_000, 1],
    [hour, 1_000, 5_000],
    [hour, 60, 60_000],
    [hour, 59, 120_000],
    [24 * hour, 1_000, 120_000],
    [30 * 24 * hour, 1_000, hour],
    [365 * 24 * hour, 1_000, 12 * hour],
    [10 * 365 * 24 * hour, 1_000, 5 * 24 * hour],
    [1_000 * 365 * 24 * hour, 1, 365_000 * 24 * hour],
  ];
  for (const [range, width, ms] of table) {
    expect([range, width, intervalForWidth(range, width)]).toEqual([range, width, ms]);
    expect(range / ms).toBeLessThanOrEqual(width);
  }
});

test("buckets begin at multiples since 1970, on both sides of it", () => {
  expect(bucketOf(0, 1_000)).toBe(0);
  expect(bucketOf(999, 1_000)).toBe(0);
  expect(bucketOf(-1, 1_000)).toBe(-1_000);
});
