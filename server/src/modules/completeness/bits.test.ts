import { describe, expect, test } from "bun:test";
import {
  cutLocalDay,
  DAY_MINUTES,
  DAY_WORDS,
  emptyDay,
  fillSlots,
  hasBit,
  onesOf,
  rangeBits,
} from "./bits.ts";

const minutesOf = (bits: Uint32Array) =>
  Array.from({ length: DAY_MINUTES }, (_, minute) => minute).filter((minute) => hasBit(bits, minute));

describe("minutes of a day", () => {
  test("a range has its minutes and no others, cut at both ends of the day", () => {
    expect(minutesOf(rangeBits(31, 34))).toEqual([31, 32, 33]);
    expect(minutesOf(rangeBits(-5, 2))).toEqual([0, 1]);
    expect(minutesOf(rangeBits(1_438, 9_999))).toEqual([1_438, 1_439]);
    expect(minutesOf(rangeBits(7, 7))).toEqual([]);
  });

  test("ones are counted in any word", () => {
    for (const [word, ones] of [
      [0, 0],
      [0xffff_ffff, 32],
      [0x8000_0000, 1],
      [0x8000_0001 | 0, 2],
      [0x0f0f_0f0f, 16],
    ] as const)
      expect(onesOf(word)).toBe(ones);
  });

  test("a local day is cut out of the UTC days around it, at any offset", () => {
    const days = new Uint32Array(3 * DAY_WORDS);
    // One mark in every 37 minutes over the three days, so that no border falls on a pattern.
    for (let at = 0; at < 3 * DAY_MINUTES; at += 37) days[at >>> 5]! |= 1 << (at & 31);
    for (const offset of [0, 60, 345, 840, -30, -480, -840]) {
      const local = emptyDay();
      cutLocalDay(days, offset, local);
      const expected = Array.from({ length: DAY_MINUTES }, (_, minute) => minute).filter(
        (minute) => (minute + DAY_MINUTES - offset) % 37 === 0,
      );
      expect(minutesOf(local)).toEqual(expected);
    }
  });

  test("a slot with one minute counts whole; the last slot may be short", () => {
    const bits = rangeBits(8, 9);
    bits[1_439 >>> 5]! |= 1 << (1_439 & 31);
    fillSlots(bits, 7);
    expect(minutesOf(bits)).toEqual([7, 8, 9, 10, 11, 12, 13, 1_435, 1_436, 1_437, 1_438, 1_439]);
  });
});
