import { expect, test } from "bun:test";
import { sampleTime, type TimeQuestion } from "./source-time.ts";

const NOW = 1_800_000_000_000;
const H = 3_600_000;
const ask = (over: Partial<TimeQuestion>) => {
  const { timeMs, doubted } = sampleTime({
    sourceMs: NOW - 200,
    gatewayMs: NOW,
    newestMs: NOW - 1_000,
    moved: true,
    known: true,
    ...over,
  });
  return [timeMs - NOW, doubted];
};

test.each<[string, Partial<TimeQuestion>, number, boolean]>([
  ["a protocol without times", { sourceMs: undefined }, 0, false],
  ["a change is dated by its source", {}, -200, false],
  ["the same value is dated by when it was seen", { sourceMs: NOW - H, moved: false }, 0, false],
  ["a first value that is new", { newestMs: Number.NEGATIVE_INFINITY }, -200, false],
  [
    "a first value that has stood for hours",
    { newestMs: Number.NEGATIVE_INFINITY, sourceMs: NOW - H },
    0,
    false,
  ],
  ["a clock 17 h behind", { sourceMs: NOW - 17 * H }, 0, true],
  ["a clock 30 min behind", { sourceMs: NOW - H / 2 }, 0, true],
  ["a clock 2 min ahead", { sourceMs: NOW + 120_000 }, 0, true],
  ["a clock 2 min ahead, value unchanged", { sourceMs: NOW + 120_000, moved: false }, 0, true],
  ["a clock 3 s behind is believed, in order", { sourceMs: NOW - 3_000 }, -999, false],
  [
    "a change while the link was away",
    { known: false, newestMs: NOW - H, sourceMs: NOW - H / 2 },
    -H / 2,
    false,
  ],
  [
    "an old value after the link was away",
    { known: false, newestMs: NOW - 5_000, sourceMs: NOW - H },
    0,
    false,
  ],
  ["several doubted values at once stay in order", { sourceMs: NOW - 17 * H, newestMs: NOW }, 1, true],
])("%s", (_, over, expectedMs, doubted) => {
  expect(ask(over)).toEqual([expectedMs, doubted]);
});
