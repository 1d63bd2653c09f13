import { describe, expect, test } from "bun:test";
import { BUS_BANDS_MS } from "@millrace/contract/wire/bus";
import { FakeClock } from "../../test/fake-clock.ts";
import { Histogram } from "./histogram.ts";
import { LineMeter } from "./line-meter.ts";
import { CycleTally } from "./tallies.ts";
import { SLOT_MS, Windowed } from "./windowed.ts";

describe("a window", () => {
  const counter = (startMs = 0) => new Windowed(() => new CycleTally(), startMs);

  test("holds the last quarter of an hour and the whole time, and says since when", () => {
    const sums = counter(1_000);
    for (let minute = 0; minute < 60; minute++) sums.at(1_000 + minute * 60_000).cycles++;
    const nowMs = 1_000 + 60 * 60_000 - 1;
    const fromMs = sums.fromMs("quarter", nowMs);
    expect(nowMs - fromMs).toBeGreaterThanOrEqual(15 * 60_000);
    expect(nowMs - fromMs).toBeLessThanOrEqual(15 * 60_000 + SLOT_MS);
    expect(sums.sum("quarter", nowMs).cycles).toBe(Math.round((nowMs - fromMs) / 60_000));
    expect(sums.sum("start", nowMs).cycles).toBe(60);
    expect(sums.fromMs("start", nowMs)).toBe(1_000);
  });

  test("after a long quiet the quarter is empty and nothing is lost or counted twice", () => {
    const sums = counter();
    sums.at(0).missed = 7;
    sums.at(100 * SLOT_MS).missed += 2;
    expect(sums.sum("quarter", 100 * SLOT_MS).missed).toBe(2);
    expect(sums.sum("start", 200 * SLOT_MS).missed).toBe(9);
    expect(sums.sum("quarter", 200 * SLOT_MS).missed).toBe(0);
    expect(sums.sum("start", 200 * SLOT_MS).missed).toBe(9);
  });

  test("begins anew when it is reset", () => {
    const sums = counter();
    sums.at(10 * SLOT_MS).cycles = 5;
    sums.reset(10 * SLOT_MS + 1);
    expect(sums.sum("start", 10 * SLOT_MS + 2).cycles).toBe(0);
    sums.at(11 * SLOT_MS).cycles = 3;
    expect([sums.sum("quarter", 11 * SLOT_MS).cycles, sums.fromMs("quarter", 11 * SLOT_MS)]).toEqual([
      3,
      10 * SLOT_MS + 1,
    ]);
  });
});

describe("answer times", () => {
  test("quantiles are known to a fifth, and never above the longest", () => {
    const times = new Histogram();
    for (let ms = 1; ms <= 1_000; ms++) times.note(ms);
    for (const [share, ms] of [
      [0.5, 500],
      [0.95, 950],
    ] as const)
      expect(Math.abs(times.quantile(share)! - ms) / ms).toBeLessThan(0.19);
    expect(times.quantile(1)).toBe(1_000);
    expect(new Histogram().quantile(0.5)).toBeNull();
    times.note(1e9);
    times.note(0);
    expect(times.maxMs).toBe(1e9);
  });

  test("bands part them where they say they do", () => {
    const times = new Histogram();
    for (const ms of [0, 4, ...BUS_BANDS_MS.map((end) => end + 0.001)]) times.note(ms);
    expect(times.bands()).toEqual([2, 1, 1, 1, 1, 1, 1]);
  });
});

describe("a line", () => {
  test("requests side by side hold it once; a failed one makes the next a retry", async () => {
    const clock = new FakeClock();
    const meter = new LineMeter(clock);
    const first = meter.began();
    await clock.advance(10);
    const second = meter.began();
    await clock.advance(10);
    meter.ended(null, "timeout", first, 0);
    await clock.advance(10);
    meter.ended(null, "answer", second, 20);
    await clock.advance(70);
    const third = meter.began();
    await clock.advance(5);
    meter.ended(null, "refused", third, 5, "2");
    const { line, units, spanMs } = meter.read("quarter");
    expect([line.busyMs, spanMs]).toEqual([35, 105]);
    const { tally } = units[0]!;
    expect(tally).toMatchObject({
      requests: 3,
      timeouts: 1,
      answers: 1,
      refusals: 1,
      retries: 1,
      waitedMs: 20,
    });
    expect([...tally.codes]).toEqual([["2", 1]]);
  });

  test("a reset in the middle of a request counts what comes after it", async () => {
    const clock = new FakeClock();
    const meter = new LineMeter(clock);
    const began = meter.began();
    await clock.advance(50);
    meter.reset();
    await clock.advance(10);
    meter.ended(3, "answer", began, 60);
    const { line, units, countedSinceMs } = meter.read("start");
    expect([line.busyMs, units[0]!.tally.busyMs, clock.nowMs() - countedSinceMs]).toEqual([10, 10, 10]);
  });

  test("whatever codes and units come, it stays small", () => {
    const meter = new LineMeter(new FakeClock());
    for (let n = 0; n < 2_000; n++) meter.ended(n, "refused", meter.began(), 1, `code ${n % 40}`);
    for (let n = 0; n < 100; n++) meter.refused(1, `code ${n}`);
    const { units } = meter.read("start");
    expect(units.length).toBeLessThanOrEqual(257);
    expect(Math.max(...units.map(({ tally }) => tally.codes.size))).toBeLessThanOrEqual(12);
    expect(units.reduce((sum, { tally }) => sum + tally.requests, 0)).toBe(2_000);
  });
});
