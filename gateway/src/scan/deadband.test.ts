import { expect, test } from "bun:test";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { moved } from "./deadband.ts";

const rows: [TagValue, TagValue, number, boolean][] = [
  [1, 1, 0, false],
  [1, 1.0000001, 0, true],
  [0, -0, 0, false],
  [Number.NaN, Number.NaN, 0, false],
  [Number.NaN, 1, 5, true],
  [1, Number.NaN, 5, true],
  [10, 10.5, 0.5, false],
  [10, 10.6, 0.5, true],
  [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 1, false],
  [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1, true],
  [null, 1, 100, true],
  [1, null, 100, true],
  [null, null, 0, false],
  [true, false, 100, true],
  ["a", "b", 100, true],
  [9_223_372_036_854_775_807n, 9_223_372_036_854_775_806n, 0, true],
  [9_223_372_036_854_775_807n, 9_223_372_036_854_775_806n, 1, false],
  [1n, 5n, 3, true],
];
test.each(rows)("%p → %p with deadband %p: %p", (sent, value, deadband, expected) => {
  expect(moved(sent, value, deadband)).toBe(expected);
});
