import { describe, expect, test } from "bun:test";
import {
  type ClassStore,
  completeDays,
  daysUntilFull,
  type ForecastInput,
  forecast,
  type Growth,
} from "./forecast.ts";

const TODAY = 20_000;

const store = (change: Partial<ClassStore> = {}): ClassStore => ({
  classNo: 1,
  bytes: { raw: 1_000, minute: 100, hour: 10 },
  bytesPerSample: 2,
  minuteBytesPerTagDay: 50,
  hourBytesPerTagDay: 24,
  ...change,
});

const input = (change: Partial<ForecastInput> = {}): ForecastInput => ({
  classes: [{ classNo: 1, name: "standard", rawDays: 69, minuteDays: 69, hourDays: 634 }],
  stores: [store()],
  days: [1, 2].map((back) => ({ classNo: 1, dayNo: TODAY - back, tags: 10, samples: 1_000 * back })),
  todayNo: TODAY,
  restBytes: 5,
  proofBytesPerSample: null,
  diskFreeBytes: null,
  ...change,
});

describe("complete days", () => {
  const of = (...days: number[]) =>
    [
      ...completeDays(
        days.map((dayNo) => ({ classNo: 1, dayNo, tags: 1, samples: 1 })),
        TODAY,
      ),
    ].sort();

  test.each([
    ["today is not over", [TODAY], []],
    ["the only day counts, complete or not", [TODAY - 1], [TODAY - 1]],
    [
      "the first day of a plant began somewhere in it",
      [TODAY - 3, TODAY - 2, TODAY - 1],
      [TODAY - 2, TODAY - 1],
    ],
    ["days before the last seven are not looked at", [TODAY - 8, TODAY - 7], [TODAY - 7]],
    ["a day without samples is no day", [TODAY - 7, TODAY - 1], [TODAY - 7, TODAY - 1]],
  ])("%s", (_, days, counted) => {
    expect(of(...days)).toEqual(counted);
  });
});

describe("forecast", () => {
  test("before the first complete day nothing is foretold, but the free disk is told", () => {
    expect(forecast(input({ days: [], diskFreeBytes: 7 }))).toEqual({
      samplesPerDay: null,
      bytesPerDay: null,
      bytesAtRetention: null,
      diskFreeBytes: 7,
      daysUntilFull: null,
    });
  });

  test("each tier grows by what the tags of a day take, and ends a partition beyond its days", () => {
    const days = [1, 2, 3].map((back) => ({ classNo: 1, dayNo: TODAY - back, tags: 10, samples: 2_000 }));
    const found = forecast(input({ days }));
    // raw 2,000 × 2, minutes 10 × 50, hours 10 × 24.
    expect(found.samplesPerDay).toBe(2_000);
    expect(found.bytesPerDay).toBe(4_740);
    expect(found.bytesAtRetention).toBe(4_000 * 100 + 500 * 100 + 240 * 1_000 + 5);
  });

  test("proofs of frames grow for ever, and count for the day and the disk alone", () => {
    const with_ = (proofBytesPerSample: number | null) =>
      forecast(input({ proofBytesPerSample, diskFreeBytes: 1e9 }));
    const [none, some] = [with_(null), with_(0.5)];
    expect(none.daysUntilFull).toBeNull();
    expect(some.bytesPerDay).toBe(none.bytesPerDay! + some.samplesPerDay! / 2);
    expect(some.bytesAtRetention).toBe(none.bytesAtRetention);
    expect(some.daysUntilFull).toBeGreaterThan(1e6);
  });

  test("for ever has no size, unless nothing comes any more", () => {
    const classes = [{ classNo: 1, name: "standard", rawDays: null, minuteDays: null, hourDays: null }];
    expect(forecast(input({ classes })).bytesAtRetention).toBeNull();
    const idle = { ...store({ classNo: 2 }), bytesPerSample: null };
    const both = [...input().classes, { ...classes[0]!, classNo: 2, name: "idle" }];
    const found = forecast(input({ classes: both, stores: [store(), idle] }));
    expect(found.bytesAtRetention).toBe(forecast(input()).bytesAtRetention! + 1_110);
  });

  test("a class that got nothing on a day counts that day all the same", () => {
    const days = [
      { classNo: 1, dayNo: TODAY - 7, tags: 1, samples: 100 },
      { classNo: 2, dayNo: TODAY - 6, tags: 1, samples: 50 },
    ];
    expect(forecast(input({ days, stores: [store(), store({ classNo: 2 })] })).samplesPerDay).toBe(75);
  });
});

describe("days until the disk is full", () => {
  const grow = (bytes: number, bytesPerDay: number, bytesMax: number | null): Growth => ({
    bytes,
    bytesPerDay,
    bytesMax,
  });
  test.each([
    ["growing for ever", [grow(0, 10, null)], 100, 10],
    ["full before it ends", [grow(0, 10, 200)], 100, 10],
    ["ends before it is full", [grow(0, 10, 90)], 100, null],
    ["one ends, the other goes on", [grow(0, 10, 50), grow(0, 5, null)], 100, 10],
    ["above its end already", [grow(500, 10, 50)], 1, null],
    ["nothing grows", [grow(5, 0, null)], 100, null],
    ["no room at all", [grow(0, 1, null)], 0, 0],
    ["nothing is there", [], 100, null],
  ])("%s", (_, growths, free, days) => {
    expect(daysUntilFull(growths, free)).toBe(days);
  });
});
