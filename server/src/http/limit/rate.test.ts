import { expect, test } from "bun:test";
import { type Clock, systemClock } from "@millrace/contract/std/clock";
import { createRate, type RateLimits } from "./rate.ts";
import { Seats } from "./seats.ts";

function rate(limits: RateLimits) {
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monoMs: () => nowMs };
  const made = createRate(limits, clock);
  /** Seconds to wait, 0 for taken. */
  const waitS = (name: string, amount = 1): number => {
    try {
      made.take(name, amount);
      return 0;
    } catch (thrown) {
      return (thrown as { context: { retryAfterS: number } }).context.retryAfterS;
    }
  };
  const taken = (name: string, tries: number): number =>
    Array.from({ length: tries }, () => waitS(name)).filter((wait) => wait === 0).length;
  return { waitS, taken, pass: (ms: number) => (nowMs += ms) };
}

test("a burst is taken at once, then a steady stream", () => {
  const { taken, pass } = rate({ perSecond: 10, burst: 30, namesMax: 10 });
  expect(taken("a", 100)).toBe(30);
  pass(1_000);
  expect(taken("a", 100)).toBe(10);
  pass(3_600_000);
  expect(taken("a", 100)).toBe(30);
});

test("one name's requests are nobody else's, and who waits as long as told is taken", () => {
  const { taken, waitS, pass } = rate({ perSecond: 2, burst: 5, namesMax: 10 });
  taken("a", 9);
  expect(waitS("b")).toBe(0);
  const told = waitS("a", 5);
  expect(told).toBe(3);
  pass(told * 1_000);
  expect(waitS("a", 5)).toBe(0);
});

test("the table of names is bounded: the oldest is forgiven", () => {
  const { taken, waitS } = rate({ perSecond: 1, burst: 1, namesMax: 3 });
  for (const name of ["a", "b", "c", "d"]) taken(name, 1);
  expect(["b", "c", "d"].map((name) => waitS(name))).toEqual([1, 1, 1]);
  expect(waitS("a")).toBe(0);
});

test("seats are counted by each of their names and in all, and given back once", () => {
  const seats = new Seats({ perNameMax: [2, 3], allMax: 4, retryAfterS: 1 });
  const first = seats.take("ada", "10.0.0.1");
  seats.take("ada", "10.0.0.1");
  expect(() => seats.take("ada", "10.0.0.2")).toThrow("Too many");
  first();
  first();
  seats.take("ada", "10.0.0.1");
  seats.take("bob", "10.0.0.1");
  expect(() => seats.take("eve", "10.0.0.1")).toThrow("Too many");
  seats.take("eve", "10.0.0.2");
  expect(() => seats.take("fay", "10.0.0.3")).toThrow("Too many");
});
