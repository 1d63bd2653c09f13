import type { ByteReader, ByteWriter } from "./bytes.ts";
import { zigzagOf, zigzagTo } from "./deltas.ts";
import { DIGIT_BASE_MAX, LOW_BYTES_MAX } from "./layout.ts";

/**
 * Noise as digits. A number x of a narrow range becomes (x - min) = digit × 256^lowBytes + low: the low bytes lie in
 * planes, and as many digits as fit share one byte. A general compressor spends whole bits on a symbol and finds
 * matches in noise that cost more than they save; five equally likely values take it 0.35 bytes each as bytes, but
 * 0.29 as three digits a byte, which is their entropy. A number outside the range is an escape: the highest digit
 * says so, and the number itself follows behind all digits.
 */
export interface DigitPlan {
  min: number;
  lowBytes: number;
  /** Symbols of the digit, the escape among them. 1: the digits say nothing and are not written. */
  base: number;
  escapes: boolean;
  /** Estimated size once compressed. */
  bytes: number;
}

const HEAD_ESCAPES = 8;
/** Planes with a bit of their own in the head. */
const PLAIN_PLANES_MAX = 4;
const BINS = 1024;
const SAMPLED_MAX = 127;
/** Range of the digit beyond which one more byte goes to the planes. */
const RANGE_MAX = 192;
/** Largest base for each number of digits in a byte. */
const BASES = [2, 3, 4, 6, 16, DIGIT_BASE_MAX];
/** What an escape costs beside its digit, in bytes. */
const ESCAPE_BYTES = 2;

const histogram = new Uint32Array(BINS);
const sampled = new Float64Array(SAMPLED_MAX);

/** How many digits of this base share a byte; 0 when there is nothing to say. */
export function digitsPerByte(base: number): number {
  if (base > 16) return 1;
  if (base > 6) return 2;
  if (base > 4) return 3;
  if (base > 3) return 4;
  if (base > 2) return 5;
  return base === 2 ? 8 : 0;
}

/** Chooses range and base for `numbers[0..count)`; count ≥ 1, numbers whole and within ±2^52. */
export function planDigits(numbers: Float64Array, count: number): DigitPlan {
  let min = numbers[0]!;
  let max = min;
  for (let i = 1; i < count; i++) {
    const x = numbers[i]!;
    if (x < min) min = x;
    else if (x > max) max = x;
  }
  if (min === max) return { min, lowBytes: 0, base: 1, escapes: false, bytes: 2 };
  let lowBytes = 0;
  let scale = 1;
  let middle = min;
  if (max - min > RANGE_MAX) {
    const quantiles = sampleOf(numbers, count);
    middle = quantiles.middle;
    while (quantiles.range / scale > RANGE_MAX) {
      lowBytes++;
      scale *= 256;
    }
  }
  // The true minimum where it can be the first bin: the plan without escapes then needs no second look.
  const all = Math.floor((max - min) / scale) + 1;
  const origin = all <= BINS ? min : middle - (BINS / 2) * scale;
  const bins = Math.min(all, BINS);
  fillHistogram(numbers, count, origin, scale, bins);
  const best: DigitPlan = { min: origin, lowBytes, base: 0, escapes: false, bytes: Infinity };
  if (all <= DIGIT_BASE_MAX) {
    best.base = all;
    best.bytes = bytesOf(0, all, count, all);
  }
  for (const base of BASES) if (base - 1 < all) tryWindow(best, origin, scale, bins, base, count);
  best.bytes += count * lowBytes;
  return best;
}

/** Median and range of some of the numbers, without the thirty-second at each end. */
function sampleOf(numbers: Float64Array, count: number): { middle: number; range: number } {
  const take = Math.min(count, SAMPLED_MAX);
  for (let i = 0; i < take; i++) sampled[i] = numbers[Math.floor((i * count) / take)]!;
  const sorted = sampled.subarray(0, take).sort();
  const tail = take >> 5;
  return { middle: sorted[take >> 1]!, range: sorted[take - 1 - tail]! - sorted[tail]! };
}

function fillHistogram(numbers: Float64Array, count: number, origin: number, scale: number, bins: number) {
  histogram.fill(0, 0, bins);
  const factor = 1 / scale;
  for (let i = 0; i < count; i++) {
    // A power of two: the product is exact.
    const at = (numbers[i]! - origin) * factor;
    if (at >= 0 && at < bins) histogram[at | 0]!++;
  }
}

/** The window of base - 1 bins that holds most numbers; the others escape. */
function tryWindow(
  best: DigitPlan,
  origin: number,
  scale: number,
  bins: number,
  base: number,
  count: number,
): void {
  const width = base - 1;
  let sum = 0;
  let most = -1;
  let start = 0;
  for (let bin = 0; bin < bins; bin++) {
    sum += histogram[bin]!;
    if (bin >= width) sum -= histogram[bin - width]!;
    if (sum > most && bin >= width - 1) {
      most = sum;
      start = bin - width + 1;
    }
  }
  if (most < 0) return;
  const bytes = bytesOf(start, start + width, count, base) + (count - most) * ESCAPE_BYTES;
  if (bytes >= best.bytes) return;
  best.min = origin + start * scale;
  best.base = base;
  best.escapes = true;
  best.bytes = bytes;
}

/** Entropy of the digits, with what the compressor adds: little where several digits share a byte. */
function bytesOf(fromBin: number, toBin: number, count: number, base: number): number {
  let bits = 0;
  let inside = 0;
  for (let bin = fromBin; bin < toBin; bin++) {
    const n = histogram[bin]!;
    if (n > 0) bits += n * Math.log2(count / n);
    inside += n;
  }
  const escapes = count - inside;
  if (escapes > 0) bits += escapes * Math.log2(count / escapes);
  const each = digitsPerByte(base);
  const most = Math.ceil(count / each);
  return 6 + Math.min((bits / 8) * (each === 1 ? 1.1 : 1.02), most);
}

/** Writes `numbers[0..count)`. Planes that are noise go to `plain`, which is not compressed. */
export function writeDigits(
  plan: DigitPlan,
  numbers: Float64Array,
  count: number,
  out: ByteWriter,
  plain: ByteWriter,
): void {
  const { min, lowBytes, base, escapes } = plan;
  out.byte(base - 1);
  const head = out.length;
  out.byte(lowBytes | (escapes ? HEAD_ESCAPES : 0));
  out.varint(zigzagOf(min));
  const each = digitsPerByte(base);
  if (each > 0) writeDigitBytes(plan, each, numbers, count, out);
  for (let plane = 0; plane < lowBytes; plane++) {
    const at = plain.length;
    writePlane(plan, numbers, count, plane, plain);
    if (plane < PLAIN_PLANES_MAX && isNoise(plain.bytes, at, count)) out.bytes[head]! |= 16 << plane;
    else {
      out.append(plain.bytes.subarray(at, at + count));
      plain.length = at;
    }
  }
  if (!escapes) return;
  const width = (base - 1) * 256 ** lowBytes;
  for (let i = 0; i < count; i++) {
    const u = numbers[i]! - min;
    if (u < 0 || u >= width) out.varint(zigzagOf(numbers[i]!));
  }
}

function writeDigitBytes(
  plan: DigitPlan,
  each: number,
  numbers: Float64Array,
  count: number,
  out: ByteWriter,
): void {
  const { min, base, escapes } = plan;
  const factor = 1 / 256 ** plan.lowBytes;
  const highest = base - 1;
  const width = escapes ? highest : base;
  const byteCount = Math.ceil(count / each);
  out.reserve(byteCount);
  const { bytes, length } = out;
  let i = 0;
  for (let b = 0; b < byteCount; b++) {
    const end = Math.min(count, i + each);
    let byte = 0;
    let power = 1;
    for (; i < end; i++) {
      const u = (numbers[i]! - min) * factor;
      byte += (u >= 0 && u < width ? u | 0 : highest) * power;
      power *= base;
    }
    bytes[length + b] = byte;
  }
  out.length += byteCount;
}

function writePlane(
  plan: DigitPlan,
  numbers: Float64Array,
  count: number,
  plane: number,
  out: ByteWriter,
): void {
  const { min } = plan;
  out.reserve(count);
  const { bytes, length } = out;
  if (plane < 4) {
    const shift = plane * 8;
    // ToInt32 takes a double modulo 2^32, so this holds for large numbers too.
    for (let i = 0; i < count; i++) bytes[length + i] = (numbers[i]! - min) >>> shift;
  } else {
    const factor = 1 / 256 ** plane;
    for (let i = 0; i < count; i++) bytes[length + i] = Math.floor((numbers[i]! - min) * factor);
  }
  out.length += count;
}

/** True for bytes so even that no compressor gains: they would only spoil its statistics of the others. */
function isNoise(bytes: Uint8Array, from: number, count: number): boolean {
  if (count < 512) return false;
  histogram.fill(0, 0, 256);
  const stride = Math.max(1, count >> 12);
  let looked = 0;
  for (let i = from; i < from + count; i += stride, looked++) histogram[bytes[i]!]!++;
  let squares = 0;
  for (let i = 0; i < 256; i++) squares += histogram[i]! * histogram[i]!;
  return squares < looked + looked * looked * (1.1 / 256);
}

/** For each base the digits of every byte, one after the other. At most 255 small tables, made when first met. */
const tables: (Uint8Array | undefined)[] = [];

function tableOf(base: number, each: number): Uint8Array {
  let table = tables[base];
  if (table) return table;
  table = new Uint8Array(256 * each);
  for (let byte = 0; byte < 256; byte++)
    for (let j = 0, rest = byte; j < each; j++, rest = Math.floor(rest / base))
      table[byte * each + j] = rest % base;
  tables[base] = table;
  return table;
}

/**
 * Inverse of `writeDigits`, into `numbers[at..at + count)`; count ≥ 1.
 * @throws AppError `block.garbled`
 */
export function readDigits(
  source: ByteReader,
  plain: ByteReader,
  numbers: Float64Array,
  at: number,
  count: number,
): void {
  const base = source.byte() + 1;
  const head = source.byte();
  const lowBytes = head & 7;
  const escapes = (head & HEAD_ESCAPES) !== 0;
  const plainPlanes = head >> 4;
  if (lowBytes > LOW_BYTES_MAX || plainPlanes >> lowBytes !== 0 || (escapes && base < 2))
    throw source.garbled(`has the impossible digits ${base}, ${head}`);
  const min = zigzagTo(source.varint());
  const each = digitsPerByte(base);
  const scale = 256 ** lowBytes;
  if (each === 0) numbers.fill(min, at, at + count);
  else readDigitBytes(source, base, each, numbers, at, count, min, scale);
  for (let plane = 0; plane < lowBytes; plane++) {
    const bytes = (plainPlanes & (1 << plane) ? plain : source).take(count);
    const factor = 256 ** plane;
    for (let i = 0; i < count; i++) numbers[at + i]! += bytes[i]! * factor;
  }
  if (!escapes) return;
  // Escaped digits are the highest: everything from here on is one.
  const limit = min + (base - 1) * scale;
  for (let i = at; i < at + count; i++) if (numbers[i]! >= limit) numbers[i] = zigzagTo(source.varint());
}

function readDigitBytes(
  source: ByteReader,
  base: number,
  each: number,
  numbers: Float64Array,
  at: number,
  count: number,
  min: number,
  scale: number,
): void {
  const bytes = source.take(Math.ceil(count / each));
  const table = tableOf(base, each);
  const end = base ** each;
  const whole = Math.floor(count / each);
  let i = at;
  for (let b = 0; b < whole; b++) {
    const byte = bytes[b]!;
    if (byte >= end) throw source.garbled(`has a byte ${byte} where digits of ${base} end at ${end}`);
    for (let j = byte * each, last = j + each; j < last; j++) numbers[i++] = min + table[j]! * scale;
  }
  if (whole === bytes.length) return;
  const byte = bytes[whole]!;
  // What is left of the last byte is zero: one sequence has one form.
  if (byte >= base ** (at + count - i))
    throw source.garbled(`has a byte ${byte} with more digits than numbers`);
  for (let j = byte * each; i < at + count; j++) numbers[i++] = min + table[j]! * scale;
}
