import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { BlockColumns } from "./columns.ts";
import { planDigits, readDigits, writeDigits } from "./digits.ts";
import { CODE } from "./layout.ts";
import { findInts, findInts64, ints, reserveInts } from "./numbers.ts";
import { choosePacked, readPacked, writePacked } from "./packed.ts";
import { KIND } from "./series.ts";

/**
 * Numbers of version 2. What has an exact whole form is packed, 32-bit floats by their order-preserving bits: noise of
 * 18 bits then is two planes and four digits a byte. All else is cut into halves: the high one, order-preserving too,
 * is packed; the low one of a computed double is noise.
 */

const HALF = 0x1_0000_0000;

let lows = new Float64Array(0);

/** Where the numbers of one series go. */
export interface NumbersOut {
  params: ByteWriter;
  ints: ByteWriter;
  plain: ByteWriter;
}

/** Writes the numbers of one series and returns the code used. */
export function writeNumbersPacked(
  kind: number,
  doubles: Float64Array,
  words: Uint32Array,
  from: number,
  to: number,
  out: NumbersOut,
): number {
  const count = to - from;
  let param = 0;
  if (kind === KIND.double) param = findInts(doubles, from, to);
  else if (!findInts64(words, from, to, kind === KIND.int64)) param = -1;
  if (param < 0) cutHalves(kind, words, from, to);
  else out.params.byte(param);
  writePacked(choosePacked(ints, 0, count, false), ints, 0, count, 0, out.ints, out.plain);
  if (param >= 0) return CODE.packed;
  writeDigits(planDigits(lows, count), lows, count, out.ints, out.plain);
  return CODE.halves;
}

/** High halves, order-preserving, to `ints`; low ones to `lows`. */
function cutHalves(kind: number, words: Uint32Array, from: number, to: number): void {
  const count = to - from;
  reserveInts(count);
  if (lows.length < count) lows = new Float64Array(count * 2);
  for (let i = 0; i < count; i++) {
    lows[i] = words[2 * (from + i)]!;
    const high = words[2 * (from + i) + 1]!;
    if (kind === KIND.uint64) ints[i] = high;
    else if (kind === KIND.int64 || high < 0x8000_0000) ints[i] = high | 0;
    else ints[i] = -(high & 0x7fff_ffff) - 1;
  }
}

/**
 * Inverse of `CODE.halves`, into the slots from..to.
 * @throws AppError `block.garbled`
 */
export function readHalves(
  source: ByteReader,
  plain: ByteReader,
  columns: BlockColumns,
  kind: number,
  from: number,
  to: number,
): void {
  const count = to - from;
  if (lows.length < count) lows = new Float64Array(count);
  const { doubles, words } = columns;
  readPacked(source, plain, doubles, from, to, 0);
  readDigits(source, plain, lows, 0, count);
  const highMin = kind === KIND.uint64 ? 0 : -HALF / 2;
  for (let i = 0; i < count; i++) {
    const low = lows[i]!;
    const high = doubles[from + i]!;
    if (!(low >= 0 && low < HALF && high >= highMin && high < highMin + HALF))
      throw source.garbled(`makes no 64-bit word of ${high} and ${low}`);
    words[2 * (from + i)] = low;
    words[2 * (from + i) + 1] = high >= 0 || kind !== KIND.double ? high : -high - 1 + HALF / 2;
  }
}
