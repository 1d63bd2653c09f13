import { expect, test } from "bun:test";
import { fullJitterMs, UPLINK_BACKOFF } from "./backoff.ts";

const longest = (attempt: number) => fullJitterMs(UPLINK_BACKOFF, attempt, () => 0.999_999);

test("waits grow from one second, stay below eight for the first minutes, then reach a minute", () => {
  expect([0, 1, 2].map(longest)).toEqual([999, 1_999, 3_999]);
  for (const attempt of [3, 10, 59]) expect(longest(attempt)).toBe(7_999);
  for (const attempt of [60, 1_000, 1e9]) expect(longest(attempt)).toBe(59_999);
});

test("the jitter is full: the shortest wait is none", () => {
  expect(fullJitterMs(UPLINK_BACKOFF, 5, () => 0)).toBe(0);
});
