import type { ByteReader, ByteWriter } from "./bytes.ts";
import { INT_MAX } from "./layout.ts";

/**
 * Whole numbers within ±2^50 as differences, zigzag, LEB128. With `order2` as differences of differences, which is
 * what a clock or a steady counter wants. The first number is written against `base`.
 */
export function writeDeltas(
  out: ByteWriter,
  ints: Float64Array,
  from: number,
  to: number,
  base: number,
  order2: boolean,
): void {
  out.reserve((to - from) * 8);
  const bytes = out.bytes;
  let at = out.length;
  let before = base;
  let deltaBefore = 0;
  for (let i = from; i < to; i++) {
    const value = ints[i]!;
    let delta = value - before;
    before = value;
    if (order2 && i > from) {
      const first = delta;
      delta -= deltaBefore;
      deltaBefore = first;
    }
    if (delta >= -0x4000_0000 && delta < 0x4000_0000) {
      let zigzag = (delta << 1) ^ (delta >> 31);
      while (zigzag > 0x7f) {
        bytes[at++] = (zigzag & 0x7f) | 0x80;
        zigzag >>>= 7;
      }
      bytes[at++] = zigzag;
    } else {
      let zigzag = zigzagOf(delta);
      while (zigzag > 0x7f) {
        bytes[at++] = (zigzag % 128) | 0x80;
        zigzag = Math.floor(zigzag / 128);
      }
      bytes[at++] = zigzag;
    }
  }
  out.length = at;
}

/**
 * Inverse of `writeDeltas`.
 * @throws AppError `block.garbled` when the section ends early or a number leaves ±2^50.
 */
export function readDeltas(
  source: ByteReader,
  ints: Float64Array,
  from: number,
  to: number,
  base: number,
  order2: boolean,
): void {
  const bytes = source.bytes;
  const end = source.end;
  let at = source.position;
  let value = base;
  let deltaBefore = 0;
  for (let i = from; i < to; i++) {
    let delta: number;
    if (at + 4 <= end) {
      // Up to four bytes are 28 bits: plain 32-bit arithmetic.
      let zigzag = bytes[at++]!;
      if (zigzag > 0x7f) {
        let byte = bytes[at++]!;
        zigzag = (zigzag & 0x7f) | ((byte & 0x7f) << 7);
        if (byte > 0x7f) {
          byte = bytes[at++]!;
          zigzag |= (byte & 0x7f) << 14;
          if (byte > 0x7f) {
            byte = bytes[at++]!;
            zigzag |= (byte & 0x7f) << 21;
          }
        }
        if (byte > 0x7f) {
          source.position = at - 4;
          delta = zigzagTo(source.varint());
          at = source.position;
        } else delta = (zigzag >>> 1) ^ -(zigzag & 1);
      } else delta = (zigzag >>> 1) ^ -(zigzag & 1);
    } else {
      source.position = at;
      delta = zigzagTo(source.varint());
      at = source.position;
    }
    if (order2 && i > from) {
      delta += deltaBefore;
      deltaBefore = delta;
    }
    value += delta;
    if (!(value <= INT_MAX && value >= -INT_MAX)) {
      source.position = at;
      throw source.garbled("leads to a number beyond 2^50");
    }
    ints[i] = value;
  }
  source.position = at;
}

/** Whole numbers within ±2^52 as 0, -1, 1, -2 …: 0, 1, 2, 3 … */
export function zigzagOf(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** Inverse of `zigzagOf`. */
export function zigzagTo(zigzag: number): number {
  return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
}
