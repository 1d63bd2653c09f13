import type { ByteReader, ByteWriter } from "./bytes.ts";
import { zigzagOf, zigzagTo } from "./deltas.ts";
import { planDigits, readDigits, writeDigits } from "./digits.ts";
import { fitGrid, gridBytes, medianStep, readGrid, refinedStep, writeGrid } from "./grid.ts";
import { FORESEEN, type Foreseen, INT_MAX, STEP_FRACTION } from "./layout.ts";

/**
 * Whole numbers within ±2^50, packed: each is foreseen in one of four ways and only the difference written, as
 * digits (`digits.ts`). The writer estimates every way on four stretches and takes the cheapest.
 */
export interface Choice {
  foreseen: Foreseen;
  /** Of the grid, in fractions; otherwise 0. */
  step: number;
  /** Estimate for all numbers, once compressed. */
  bytes: number;
}

/** Second differences at or beyond this would leave 2^53 as zigzag. */
const DIFFERENCE_MAX = 2 ** 52;
const STRETCHES = 4;
const STRETCH = 256;
const REFINED_MOST = 0.97;

let differences = new Float64Array(1024);

/** The cheapest way for `ints[from..to)`. Only times have a grid. */
export function choosePacked(ints: Float64Array, from: number, to: number, mayGrid: boolean): Choice {
  const best: Choice = { foreseen: FORESEEN.delta, step: 0, bytes: Infinity };
  if (to - from < 2) return { ...best, bytes: 8 };
  consider(best, FORESEEN.delta, 0, ints, from, to);
  if (!mayGrid) consider(best, FORESEEN.level, 0, ints, from, to);
  if (to - from > 3) consider(best, FORESEEN.delta2, 0, ints, from, to);
  const step = mayGrid ? medianStep(ints, from, to) : 0;
  if (step === 0) return best;
  const refined = refinedStep(ints, from, to, step);
  const whole = Math.max(1, Math.round(refined / STEP_FRACTION)) * STEP_FRACTION;
  consider(best, FORESEEN.grid, whole, ints, from, to);
  if (refined === whole) return best;
  // A step that fits a little better on the stretches is chance: the rounder one stays right between them.
  const before = best.bytes;
  best.bytes *= REFINED_MOST;
  if (!consider(best, FORESEEN.grid, refined, ints, from, to)) best.bytes = before;
  return best;
}

/** True when this way is the best so far. */
function consider(
  best: Choice,
  foreseen: Foreseen,
  step: number,
  ints: Float64Array,
  from: number,
  to: number,
): boolean {
  const count = to - from;
  let bytes = 0;
  if (count <= STRETCHES * STRETCH) bytes = estimate(foreseen, step, ints, from, to);
  else {
    for (let s = 0; s < STRETCHES; s++) {
      const start = from + Math.floor((s * (count - STRETCH)) / (STRETCHES - 1));
      bytes += estimate(foreseen, step, ints, start, start + STRETCH);
      // A sum that lost already is not worth the rest.
      if ((bytes * count) / (STRETCHES * STRETCH) >= best.bytes) return false;
    }
    bytes *= count / (STRETCHES * STRETCH);
  }
  if (bytes >= best.bytes) return false;
  best.foreseen = foreseen;
  best.step = step;
  best.bytes = bytes;
  return true;
}

function estimate(foreseen: Foreseen, step: number, ints: Float64Array, from: number, to: number): number {
  if (foreseen === FORESEEN.grid) {
    return fitGrid(ints, from, to, step) ? gridBytes(to - from - 1) : Infinity;
  }
  const count = differ(foreseen, ints, from, to);
  if (count === 0) return 8;
  return planDigits(differences, count).bytes;
}

/** Fills `differences`; returns how many there are. */
function differ(foreseen: Foreseen, ints: Float64Array, from: number, to: number): number {
  if (differences.length < to - from) differences = new Float64Array((to - from) * 2);
  if (foreseen === FORESEEN.level) {
    differences.set(ints.subarray(from, to));
    return to - from;
  }
  const skipped = foreseen === FORESEEN.delta2 ? 2 : 1;
  const target = differences;
  let before = ints[from + skipped - 1]!;
  if (skipped === 1)
    for (let i = from + 1; i < to; i++) {
      const value = ints[i]!;
      target[i - from - 1] = value - before;
      before = value;
    }
  else {
    let deltaBefore = before - ints[from]!;
    for (let i = from + 2; i < to; i++) {
      const delta = ints[i]! - before;
      target[i - from - 2] = delta - deltaBefore;
      deltaBefore = delta;
      before = ints[i]!;
    }
  }
  return to - from - skipped;
}

function withinReach(count: number): boolean {
  for (let i = 0; i < count; i++)
    if (differences[i]! >= DIFFERENCE_MAX || differences[i]! <= -DIFFERENCE_MAX) return false;
  return true;
}

/**
 * Writes `ints[from..to)`, at least one, in the way of `choice`; the first against `base`. Noise goes to `plain`,
 * which is not compressed.
 */
export function writePacked(
  choice: Choice,
  ints: Float64Array,
  from: number,
  to: number,
  base: number,
  out: ByteWriter,
  plain: ByteWriter,
): void {
  let { foreseen } = choice;
  // The estimate saw a part of the numbers only.
  if (foreseen === FORESEEN.grid && !fitGrid(ints, from, to, choice.step)) foreseen = FORESEEN.delta;
  let count = foreseen === FORESEEN.grid ? to - from - 1 : differ(foreseen, ints, from, to);
  if (foreseen === FORESEEN.delta2 && !withinReach(count)) {
    foreseen = FORESEEN.delta;
    count = differ(foreseen, ints, from, to);
  }
  out.byte(foreseen);
  if (foreseen !== FORESEEN.level) out.varint(zigzagOf(ints[from]! - base));
  if (foreseen === FORESEEN.grid) return writeGrid(out, plain, count, choice.step);
  if (foreseen === FORESEEN.delta2) out.varint(zigzagOf(ints[from + 1]! - ints[from]!));
  if (count > 0) writeDigits(planDigits(differences, count), differences, count, out, plain);
}

/**
 * Inverse of `writePacked`.
 * @throws AppError `block.garbled`, also when a number leaves ±2^50
 */
export function readPacked(
  source: ByteReader,
  plain: ByteReader,
  ints: Float64Array,
  from: number,
  to: number,
  base: number,
): void {
  const foreseen = source.byte();
  if (foreseen > FORESEEN.grid) throw source.garbled(`foresees numbers in the unknown way ${foreseen}`);
  if (foreseen === FORESEEN.level) {
    readDigits(source, plain, ints, from, to - from);
    for (let i = from; i < to; i++) checkReach(ints[i]!, source);
    return;
  }
  ints[from] = base + zigzagTo(source.varint());
  checkReach(ints[from]!, source);
  if (foreseen === FORESEEN.delta) {
    if (to - from > 1) readDigits(source, plain, ints, from + 1, to - from - 1);
    sumUp(ints, from, to, source);
    return;
  }
  if (to - from < 2 + (foreseen === FORESEEN.grid ? 0 : 1))
    throw source.garbled(`foresees ${to - from} numbers in the way ${foreseen}`);
  if (foreseen === FORESEEN.grid) return readGrid(source, plain, ints, from, to);
  ints[from + 1] = zigzagTo(source.varint());
  readDigits(source, plain, ints, from + 2, to - from - 2);
  let delta = ints[from + 1]!;
  for (let i = from + 2; i < to; i++) {
    delta += ints[i]!;
    ints[i] = delta;
  }
  sumUp(ints, from, to, source);
}

function sumUp(ints: Float64Array, from: number, to: number, source: ByteReader): void {
  let value = ints[from]!;
  for (let i = from + 1; i < to; i++) {
    value += ints[i]!;
    checkReach(value, source);
    ints[i] = value;
  }
}

function checkReach(value: number, source: ByteReader): void {
  if (!(value <= INT_MAX && value >= -INT_MAX)) throw source.garbled("leads to a number beyond 2^50");
}
