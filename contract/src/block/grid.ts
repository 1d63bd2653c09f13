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
const MEAN_OF = 64;
const sampled = new Float64Array(MEDIAN_OF);
/** Numbers of a stretch whose median speaks for it. */
const STRETCH_OF = 31;
/** Stretches looked at before all of them are. */
const LOOKS_MAX = 16;
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

/**
 * The step again over ever longer stretches, which tells 1000.02 ms from 1000 and 16.667 from 17; at last from the
 * means of both ends, because the jitter of two single samples would tilt the whole grid.
 */
export function refinedStep(times: Float64Array, from: number, to: number, step: number): number {
  const first = times[from]!;
  let refined = step;
  // Half as long again each time: the error of the step so far then stays below half a step at the far end.
  for (let length = 2; length < to - from; length = Math.ceil(length * 1.5)) {
    const span = (times[from + length]! - first) * STEP_FRACTION;
    const k = Math.round(span / refined);
    if (k > 0) refined = Math.max(STEP_FRACTION, Math.round(span / k));
  }
  const few = Math.min(MEAN_OF, (to - from) >> 2);
  if (few < 2) return refined;
  const start = meanOf(times, from, from + few, first, refined);
  const end = meanOf(times, to - few, to, first, refined);
  const tilt = (end.distance - start.distance) / (end.k - start.k);
  return Number.isFinite(tilt)
    ? Math.max(STEP_FRACTION, Math.round(refined + tilt * STEP_FRACTION))
    : refined;
}

/** Mean place on the grid and mean distance to it. */
function meanOf(times: Float64Array, from: number, to: number, first: number, step: number) {
  let k = 0;
  let distance = 0;
  for (let i = from; i < to; i++) {
    const time = times[i]! - first;
    const place = Math.round((time * STEP_FRACTION) / step);
    k += place;
    distance += time - place * step * FRACTION;
  }
  return { k: k / (to - from), distance: distance / (to - from) };
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

/** Median of a stretch of distances, and how wide they lie around it: the eighth at each end may be late scans. */
function lookAt(from: number, to: number): { median: number; width: number } {
  const take = Math.min(to - from, STRETCH_OF);
  for (let i = 0; i < take; i++) stretch[i] = distances[from + Math.floor((i * (to - from)) / take)]!;
  const sorted = stretch.subarray(0, take).sort();
  return { median: sorted[take >> 1]!, width: sorted[take - 1 - (take >> 3)]! - sorted[take >> 3]! };
}

/** The median of jitter moves by far less than half its width; one that does is a clock. */
const isMove = (by: number, width: number): boolean => Math.abs(by) > Math.max(1, width / 2);

/** True when a few stretches show that samples leave their grid together. */
function isMoving(count: number): boolean {
  if (count <= OFFSET_SAMPLES) return false;
  const first = lookAt(0, OFFSET_SAMPLES);
  const looks = Math.min(LOOKS_MAX, 2 + Math.floor(count / (4 * OFFSET_SAMPLES)));
  for (let s = 1; s < looks; s++) {
    const from = Math.floor((s * (count - OFFSET_SAMPLES)) / (looks - 1));
    const { median, width } = lookAt(from, from + OFFSET_SAMPLES);
    if (isMove(median - first.median, Math.max(width, first.width))) return true;
  }
  return false;
}

/** Takes the offset of each stretch from its distances. */
function takeOffsets(count: number): void {
  // What all samples share is the least digit's matter.
  const { median: common, width: widthFirst } = lookAt(0, Math.min(count, OFFSET_SAMPLES));
  let current = common;
  let width = widthFirst;
  for (let from = 0, s = 0; from < count; from += OFFSET_SAMPLES, s++) {
    const to = Math.min(count, from + OFFSET_SAMPLES);
    const look = lookAt(from, to);
    width = Math.max(look.width, width * 0.9);
    if (isMove(look.median - current, width)) current = look.median;
    const offset = current - common;
    offsets[s] = offset;
    for (let i = from; i < to; i++) distances[i]! -= offset;
  }
}

/** Writes the `count` numbers last fitted; the first of their series is written already. */
export function writeGrid(out: ByteWriter, plain: ByteWriter, count: number, step: number): void {
  out.varint(step);
  writeDigits(planDigits(rises, count), rises, count, out, plain);
  const moves = isMoving(count);
  if (moves) takeOffsets(count);
  out.byte(moves ? 1 : 0);
  let before = 0;
  if (moves)
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
