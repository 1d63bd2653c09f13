import { DECIMALS_FLOAT32_MAX, DECIMALS_MAX, INT_MAX, PARAM, POW10, POW10_INVERSE } from "./layout.ts";

/**
 * Finds, for the numbers of one series, whole numbers that give back exactly the same bits by one floating point
 * operation. `ints` is the result, from index 0; it is used again by the next call.
 */
export let ints = new Float64Array(1024);
/** Bytes `ints` will take as first and as second differences, roughly, and the order that is shorter. */
export const shape = { order2: false, bytes: 0 };

const float32 = new Float32Array(1);
const float32Bits = new Int32Array(float32.buffer);

/** Room for `count` of `ints`. */
export function reserveInts(count: number): void {
  if (ints.length < count) ints = new Float64Array(count * 2);
}

/**
 * Parameter byte without the order, or -1 when no way is exact. Decimal fractions first (what sensors and displays
 * give), as doubles, then as products (scaled raw values), then as 32-bit floats.
 */
export function findInts(values: Float64Array, from: number, to: number): number {
  reserveInts(to - from);
  const decimals = decimalsOf(values, from, to);
  if (decimals >= 0 && fillQuotients(values, from, to, decimals)) return decimals;
  for (let k = 1; k <= DECIMALS_FLOAT32_MAX; k++)
    if (fillProducts(values, from, to, k)) return k | PARAM.product;
  if (!areFloat32(values, from, to)) return -1;
  const decimals32 = decimals32Of(values, from, to);
  if (decimals32 >= 0 && fillQuotients32(values, from, to, decimals32)) return decimals32 | PARAM.float32;
  fillBits32(values, from, to);
  return PARAM.bits32;
}

/** m = value × 10^k exactly at k means also at k + 1, so one pass finds the smallest k that suits all. */
function decimalsOf(values: Float64Array, from: number, to: number): number {
  let k = 0;
  let power = 1;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    for (;;) {
      const m = Math.round(value * power);
      if (m / power === value && m <= INT_MAX && m >= -INT_MAX) break;
      if (k === DECIMALS_MAX) return -1;
      power = POW10[++k]!;
    }
  }
  return k;
}

function fillQuotients(values: Float64Array, from: number, to: number, k: number): boolean {
  const power = POW10[k]!;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    const m = Math.round(value * power);
    if (m / power !== value || !(m <= INT_MAX && m >= -INT_MAX)) return false;
    // -0 === 0, but it is another value.
    if (m === 0 && 1 / value < 0) return false;
    ints[i - from] = m;
  }
  return true;
}

function fillProducts(values: Float64Array, from: number, to: number, k: number): boolean {
  const power = POW10[k]!;
  const inverse = POW10_INVERSE[k]!;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    const m = Math.round(value * power);
    if (m * inverse !== value || !(m <= INT_MAX && m >= -INT_MAX)) return false;
    if (m === 0 && 1 / value < 0) return false;
    ints[i - from] = m;
  }
  return true;
}

function areFloat32(values: Float64Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (Math.fround(values[i]!) !== values[i]) return false;
  return true;
}

function decimals32Of(values: Float64Array, from: number, to: number): number {
  let k = 0;
  let power = 1;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    for (;;) {
      const m = Math.round(value * power);
      if (Math.fround(m / power) === value && m <= INT_MAX && m >= -INT_MAX) break;
      if (k === DECIMALS_FLOAT32_MAX) return -1;
      power = POW10[++k]!;
    }
  }
  return k;
}

function fillQuotients32(values: Float64Array, from: number, to: number, k: number): boolean {
  const power = POW10[k]!;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    const m = Math.round(value * power);
    if (Math.fround(m / power) !== value || !(m <= INT_MAX && m >= -INT_MAX)) return false;
    if (m === 0 && 1 / value < 0) return false;
    ints[i - from] = m;
  }
  return true;
}

/** Bit patterns so mapped that neighbours among floats are neighbours among integers, across zero too. */
function fillBits32(values: Float64Array, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    float32[0] = values[i]!;
    const bits = float32Bits[0]!;
    ints[i - from] = bits >= 0 ? bits : -(bits & 0x7fff_ffff) - 1;
  }
}

/** 64-bit integers, given as words, that are small enough. */
export function findInts64(words: Uint32Array, from: number, to: number, signed: boolean): boolean {
  reserveInts(to - from);
  for (let i = from; i < to; i++) {
    const word = words[2 * i + 1]!;
    const high = signed ? word | 0 : word;
    if (high >= 0x4_0000 || high < -0x4_0000) return false;
    ints[i - from] = high * 0x1_0000_0000 + words[2 * i]!;
  }
  return true;
}

/** Estimates what the first `count` of `ints` take as deltas, and chooses the order. */
export function measureInts(count: number): void {
  let before = ints[0]!;
  let deltaBefore = 0;
  let first = 0;
  let second = 0;
  let sum = 0;
  for (let i = 1; i < count; i++) {
    const value = ints[i]!;
    const delta = value - before;
    first += Math.abs(delta);
    second += Math.abs(delta - deltaBefore);
    // Bits of the size, as a varint will need them.
    sum += delta === 0 ? 0 : 32 - Math.clz32(Math.abs(delta));
    before = value;
    deltaBefore = delta;
  }
  shape.order2 = count > 3 && second * 2 < first;
  shape.bytes = count < 2 ? 5 : 5 + (sum + (count - 1) * 4) / 7;
}

/** Inverse of `findInts`, in place. `param` has been checked. */
export function valuesOfInts(values: Float64Array, from: number, to: number, param: number): void {
  const k = param & 15;
  if (param & PARAM.bits32) {
    for (let i = from; i < to; i++) {
      const m = values[i]!;
      float32Bits[0] = m >= 0 ? m : (-m - 1) | 0x8000_0000;
      values[i] = float32[0]!;
    }
  } else if (param & PARAM.product) {
    const inverse = POW10_INVERSE[k]!;
    for (let i = from; i < to; i++) values[i]! *= inverse;
  } else if (param & PARAM.float32) {
    const power = POW10[k]!;
    for (let i = from; i < to; i++) values[i] = Math.fround(values[i]! / power);
  } else if (k > 0) {
    const power = POW10[k]!;
    for (let i = from; i < to; i++) values[i]! /= power;
  }
}
