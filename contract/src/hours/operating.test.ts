import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { OperatingHours } from "../vocabulary/operating-hours.ts";
import { isOperating, operatingMsBetween } from "./operating.ts";

const HOUR_MS = 3_600_000;
const at = (text: string): number => Date.parse(text);
const shift: OperatingHours = {
  timeZone: "Europe/Berlin",
  days: {
    mon: ["06:00-14:00", "14:00-22:00"],
    fri: ["06:00-22:00"],
    sat: ["22:00-06:00"],
    sun: ["22:00-06:00"],
  },
};

test("without hours a machine always runs", () => {
  expect([isOperating(null, 0), operatingMsBetween(null, 10, 25), operatingMsBetween(null, 25, 10)]).toEqual([
    true,
    15,
    0,
  ]);
});

describe("a moment is judged by the clock on the wall", () => {
  test.each([
    ["2026-01-05T05:00:00Z", true], // Monday 06:00 in winter
    ["2026-01-05T04:59:59.999Z", true], // the end of Sunday night: 22:00 to 06:00
    ["2026-01-05T13:00:00Z", true], // ranges touch
    ["2026-01-05T21:00:00Z", false], // 22:00 is outside
    ["2026-07-06T04:00:00Z", true], // Monday 06:00 in summer
    ["2026-07-10T03:59:59Z", false], // Friday 05:59:59
    ["2026-07-11T20:00:00Z", true], // Saturday 22:00
    ["2026-07-12T03:59:59Z", true], // Sunday 05:59:59
    ["2026-07-12T04:00:00Z", false],
  ])("%s: %p", (moment, expected) => expect(isOperating(shift, at(moment))).toBe(expected));
});

describe("time is counted as it passes", () => {
  test.each([
    ["an ordinary Monday", "2026-01-05T05:00:00Z", "2026-01-06T05:00:00Z", 16],
    [
      "the night the clock goes forward is an hour shorter",
      "2026-03-28T12:00:00Z",
      "2026-03-29T12:00:00Z",
      7,
    ],
    ["the night the clock goes back is an hour longer", "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z", 9],
    ["a week: 16 + 16 + 8 + 8", "2026-01-05T12:00:00Z", "2026-01-12T12:00:00Z", 48],
    ["a year of Berlin evens out", "2026-01-05T12:00:00Z", "2027-01-04T12:00:00Z", 52 * 48],
  ])("%s", (_what, from, to, hours) =>
    expect(operatingMsBetween(shift, at(from), at(to))).toBe(hours * HOUR_MS),
  );

  test("an hour that occurs twice is operating twice, one that is left out never", () => {
    const night: OperatingHours = { timeZone: "America/New_York", days: { sun: ["01:30-02:30"] } };
    const day = (from: string) => operatingMsBetween(night, at(from), at(from) + 24 * HOUR_MS) / HOUR_MS;
    expect(day("2026-11-01T04:00:00Z")).toBe(1.5); // 01:30 to 02:00 twice, then 02:00 to 02:30
    expect(day("2026-03-08T05:00:00Z")).toBe(0.5); // 02:00 to 03:00 is not there
  });

  test("half an hour of summer, and a zone that left out a whole day", () => {
    const lordHowe: OperatingHours = { timeZone: "Australia/Lord_Howe", days: { sun: ["00:00-24:00"] } };
    const sunday = operatingMsBetween(lordHowe, at("2026-04-04T00:00:00Z"), at("2026-04-06T00:00:00Z"));
    expect(sunday / HOUR_MS).toBe(24.5);
    const apia: OperatingHours = { timeZone: "Pacific/Apia", days: { fri: ["00:00-24:00"] } };
    const week = operatingMsBetween(apia, at("2011-12-28T12:00:00Z"), at("2012-01-04T12:00:00Z"));
    expect(week).toBe(0); // Friday, 30 December 2011, did not happen
  });
});

test("the count is the sum of its parts, and what asking every minute gives", () => {
  const start = at("2026-03-01T00:00:00Z");
  const minutes = fc.integer({ min: 0, max: 40 * 1_440 });
  fc.assert(
    fc.property(minutes, minutes, minutes, (a, b, c) => {
      const [from, middle, to] = [a, b, c].sort((x, y) => x - y).map((one) => start + one * 60_000) as [
        number,
        number,
        number,
      ];
      const whole = operatingMsBetween(shift, from, to);
      expect(operatingMsBetween(shift, from, middle) + operatingMsBetween(shift, middle, to)).toBe(whole);
    }),
    { numRuns: 50 },
  );
  let asked = 0;
  for (let minute = 0; minute < 31 * 1_440; minute += 1)
    if (isOperating(shift, start + minute * 60_000)) asked += 1;
  expect(operatingMsBetween(shift, start, start + 31 * 86_400_000)).toBe(asked * 60_000);
});
