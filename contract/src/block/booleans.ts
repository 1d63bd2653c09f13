import { type ByteReader, ByteWriter } from "./bytes.ts";
import { CODE } from "./layout.ts";
import { runEnd } from "./quality.ts";

const runs = new ByteWriter();

/** Booleans as bits, or as run lengths beginning with false, whichever is shorter. Returns the code used. */
export function writeBooleans(values: Uint8Array, from: number, to: number, out: ByteWriter): number {
  const bitBytes = (to - from + 7) >> 3;
  runs.reset();
  let value = 0;
  for (let start = from; start < to && runs.length < bitBytes; value ^= 1) {
    let end = start;
    while (end < to && (values[end] !== 0 ? 1 : 0) === value) end++;
    runs.varint(end - start);
    start = end;
    if (start === to && runs.length < bitBytes) {
      out.append(runs.view());
      return CODE.runs;
    }
  }
  out.reserve(bitBytes);
  for (let i = from; i < to; i += 8) {
    let byte = 0;
    const count = Math.min(8, to - i);
    for (let bit = 0; bit < count; bit++) if (values[i + bit] !== 0) byte |= 1 << bit;
    out.byte(byte);
  }
  return CODE.bits;
}

/** @throws AppError `block.garbled` */
export function readBits(source: ByteReader, values: Uint8Array, from: number, to: number): void {
  const bits = source.take((to - from + 7) >> 3);
  for (let i = from; i < to; i++) {
    const offset = i - from;
    values[i] = (bits[offset >> 3]! >> (offset & 7)) & 1;
  }
}

/** @throws AppError `block.garbled` */
export function readBooleanRuns(source: ByteReader, values: Uint8Array, from: number, to: number): void {
  let value = 0;
  for (let at = from; at < to; value ^= 1) {
    const end = runEnd(at, to, source, at === from && value === 0 ? 0 : 1);
    values.fill(value, at, end);
    at = end;
  }
}
