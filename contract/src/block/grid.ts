import type { ByteReader, ByteWriter } from "./bytes.ts";
import { zigzagOf, zigzagTo } from "./deltas.ts";
import { planDigits, readDigits, writeDigits } from "./digits.ts";
import { INT_MAX, OFFSET_SAMPLES, STEP_FRACTION } from "./layout.ts";

/**
 * Times of a scan: t[i] = first + k[i] × step + offset + r[i]. The clock that starts the scan does not jitter, only
 * each answer does; the differences of such times carry the jitter twice, their distance to the grid once. k mostly
 * rises by one. The offset belongs to `OFFSET_SAMPLES` samples, so that a clock that was set or drifts moves the
 * grid once and not every sample that follows.
 */

/** Steps of k and distances to the grid of the stretch last fitted; index 0 is its second number. */
let rises = new Float64Array(0);
let distances = new Float64Array(0);
let offsets = new Float64Array(0);

const MEDIAN_OF = 63;
const sampled = new Float64Array(MEDIAN_OF);
/** Numbers of a stretch whose median speaks for it. */
const STRETCH_OF = 9;
const stretch = new Float64Array(STRETCH_OF);
/** A power of two, so a product with it is exact. */
const FRACTION = 1 / STEP_FRACTION;
/** How quickly the fit follows a grid that moves. */
const FOLLOW = 1 / 8;

function prepare(count: number): void {
  if (distances.length >= count) return;
  rises = new Float64Array(count * 2);
  distances = new Float64Array(count * 2);
  offsets = new Float64Array(Math.ceil((count * 2) / OFFSET_SAMPLES));
}

/** Median difference of neighbours in fractions of a step, or 0 when it is not positive: there is no grid. */
export function medianStep(times: Float64Array, from: number, to: number): number {
  const count = to - from - 1;
  if (count < 2) return 0;
  const take = Math.min(count, MEDIAN_OF);
  for (let i = 0; i < take; i++) {
    const at = from + Math.floor((i * count) / take);
    sampled[i] = times[at + 1]! - times[at]!;
  }
  const step = sampled.subarray(0, take).sort()[take >> 1]!;
  return step > 0 && step <= INT_MAX / STEP_FRACTION ? step * STEP_FRACTION : 0;
}

/** The step again over ever longer stretches, which tells 1000.02 ms from 1000 and 16.667 from 17. */
export function refinedStep(times: Float64Array, from: number, to: number, step: number): number {
  let refined = step;
  for (
    let length = 8;
    length < to - from;
    length = Math.min(length * 8, Math.max(length + 1, to - from - 1))
  ) {
    const span = (times[from + length]! - times[from]!) * STEP_FRACTION;
    const k = Math.round(span / refined);
    if (k > 0) refined = Math.max(STEP_FRACTION, Math.round(span / k));
  }
  return refined;
}

/** A fit that leaves this is none: its sums must stay exact. */
const REACH = 2 ** 50;

/**
 * Fits `times[from..to)` into `rises` and `distances`; only the writer's choice, the reader just adds up. False when
 * the numbers leave what can be written.
 */
export function fitGrid(times: Float64Array, from: number, to: number, step: number): boolean {
  prepare(to - from);
  const first = times[from]!;
  const factor = STEP_FRACTION / step;
  const near = step / STEP_FRACTION / 8;
  let k = 0;
  // Where the samples lie beside their grid now; without it a grid half a step off would make k hop.
  let beside = 0;
  let isWithin = true;
  for (let i = from + 1; i < to; i++) {
    const time = times[i]! - first;
    let rise = 1;
    let distance = time - Math.floor((k + 1) * step * FRACTION);
    const away = distance - beside;
    if (away > near || away < -near) {
      rise = 1 + Math.floor(away * factor + 0.5);
      distance = time - Math.floor((k + rise) * step * FRACTION);
      beside += (distance - beside) * FOLLOW;
      if (!(rise < REACH && rise > -REACH && distance < REACH && distance > -REACH)) isWithin = false;
    }
    k += rise;
    rises[i - from - 1] = rise;
    distances[i - from - 1] = distance;
  }
  return isWithin;
}

/** Estimated bytes of the stretch last fitted. */
export function gridBytes(count: number): number {
  return planDigits(rises, count).bytes + planDigits(distances, count).bytes;
}

/** Takes the offset of each stretch from its distances. True when there is any. */
function takeOffsets(count: number): boolean {
  let any = false;
  let tolerance = 0;
  // What all samples share is the least digit's matter.
  let common = 0;
  let current = 0;
  for (let from = 0, s = 0; from < count; from += OFFSET_SAMPLES, s++) {
    const length = Math.min(OFFSET_SAMPLES, count - from);
    const take = Math.min(length, STRETCH_OF);
    for (let i = 0; i < take; i++) stretch[i] = distances[from + Math.floor((i * length) / take)]!;
    const sorted = stretch.subarray(0, take).sort();
    const median = sorted[take >> 1]!;
    // Jitter alone moves a median by less than its range; the quarter at each end may be late scans.
    tolerance = Math.max(1, sorted[take - 1 - (take >> 2)]! - sorted[take >> 2]!, tolerance * 0.9);
    if (s === 0) common = current = median;
    else if (Math.abs(median - current) > tolerance * 1.5) current = median;
    const offset = current - common;
    offsets[s] = offset;
    if (offset === 0) continue;
    any = true;
    for (let i = from; i < from + length; i++) distances[i]! -= offset;
  }
  return any;
}

/** Writes the `count` numbers last fitted; the first of their series is written already. */
export function writeGrid(out: ByteWriter, plain: ByteWriter, count: number, step: number): void {
  out.varint(step);
  writeDigits(planDigits(rises, count), rises, count, out, plain);
  const any = takeOffsets(count);
  out.byte(any ? 1 : 0);
  let before = 0;
  if (any)
    for (let s = 0; s * OFFSET_SAMPLES < count; s++) {
      out.varint(zigzagOf(offsets[s]! - before));
      before = offsets[s]!;
    }
  writeDigits(planDigits(distances, count), distances, count, out, plain);
}

/** @throws AppError `block.garbled` */
export function readGrid(
  source: ByteReader,
  plain: ByteReader,
  times: Float64Array,
  from: number,
  to: number,
): void {
  const count = to - from - 1;
  prepare(count);
  const step = source.varint();
  readDigits(source, plain, rises, 0, count);
  const any = source.byte();
  if (any > 1) throw source.garbled(`has the mark ${any} where offsets begin`);
  offsets.fill(0, 0, Math.ceil(count / OFFSET_SAMPLES));
  let offset = 0;
  if (any)
    for (let s = 0; s * OFFSET_SAMPLES < count; s++) {
      offset += zigzagTo(source.varint());
      offsets[s] = offset;
    }
  readDigits(source, plain, times, from + 1, count);
  const first = times[from]!;
  let k = 0;
  for (let i = 0; i < count; ) {
    const base = first + offsets[Math.floor(i / OFFSET_SAMPLES)]!;
    const end = Math.min(count, i + OFFSET_SAMPLES);
    for (; i < end; i++) {
      k += rises[i]!;
      const time = base + Math.floor(k * step * FRACTION) + times[from + 1 + i]!;
      if (!(time <= INT_MAX && time >= -INT_MAX)) throw source.garbled("leads to a number beyond 2^50");
      times[from + 1 + i] = time;
    }
  }
}
