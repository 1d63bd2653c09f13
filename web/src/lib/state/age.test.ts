import { expect, test } from "bun:test";
import { ageWords, clockTime, momentWords, stopwatch } from "./age.ts";

test.each([
  [-500, "0 s"],
  [0, "0 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [3_599_999, "59 min"],
  [3_600_000, "1 h"],
  [7_500_000, "2 h 5 min"],
  [90_000_000, "1 d"],
])("an age of %p ms reads %p", (ms, words) => {
  expect(ageWords(ms)).toBe(words);
});

test.each([
  [0, "00:00"],
  [12_999, "00:12"],
  [754_000, "12:34"],
  [3_723_000, "1:02:03"],
])("a wait of %p ms reads %p", (ms, words) => {
  expect(stopwatch(ms)).toBe(words);
});

test("a moment of another day names the day", () => {
  const now = new Date(2026, 10, 23, 10, 41, 20).getTime();
  expect(momentWords(now - 1_000, now)).toBe("10:41:19");
  expect(momentWords(now - 86_400_000, now)).toBe(`22 Nov ${clockTime(now)}`);
});
