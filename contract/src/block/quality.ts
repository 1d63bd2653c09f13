import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { BlockColumns } from "./columns.ts";
import { FLAG } from "./layout.ts";

/** Quality: nothing when all is good (code 0), one byte when constant, else runs of (code, length). */
export function writeQuality(columns: BlockColumns, flags: Uint8Array, out: ByteWriter): void {
  const { quality, starts, seriesCount } = columns;
  for (let s = 0; s < seriesCount; s++) {
    const from = starts[s]!;
    const to = starts[s + 1]!;
    const first = quality[from]!;
    let same = from + 1;
    while (same < to && quality[same] === first) same++;
    if (same === to) {
      if (first === 0) continue;
      flags[s]! |= FLAG.qualityConstant;
      out.byte(first);
      continue;
    }
    flags[s]! |= FLAG.qualityRuns;
    writeRuns(quality, from, to, out);
  }
}

function writeRuns(quality: Uint8Array, from: number, to: number, out: ByteWriter): void {
  let start = from;
  while (start < to) {
    const code = quality[start]!;
    let end = start + 1;
    while (end < to && quality[end] === code) end++;
    out.byte(code);
    out.varint(end - start);
    start = end;
  }
}

/** @throws AppError `block.garbled` */
export function readQuality(columns: BlockColumns, flags: Uint8Array, source: ByteReader): void {
  const { quality, starts, seriesCount } = columns;
  for (let s = 0; s < seriesCount; s++) {
    const flag = flags[s]!;
    if (!(flag & (FLAG.qualityConstant | FLAG.qualityRuns))) continue;
    const to = starts[s + 1]!;
    if (flag & FLAG.qualityConstant) quality.fill(source.byte(), starts[s]!, to);
    else {
      for (let at = starts[s]!; at < to; ) {
        const code = source.byte();
        at = fillRun(quality, code, at, to, source);
      }
    }
  }
  source.expectEnd();
}

/** Null flags as alternating run lengths, beginning with samples that have a value. */
export function writeNulls(nulls: Uint8Array, from: number, to: number, out: ByteWriter): void {
  let isNull = 0;
  let start = from;
  while (start < to) {
    let end = start;
    while (end < to && (nulls[end] !== 0 ? 1 : 0) === isNull) end++;
    out.varint(end - start);
    start = end;
    isNull ^= 1;
  }
}

/**
 * Fills `nulls` of one series.
 * @returns how many samples have a value
 * @throws AppError `block.garbled`
 */
export function readNulls(nulls: Uint8Array, from: number, to: number, source: ByteReader): number {
  let isNull = 0;
  let valueCount = 0;
  for (let at = from; at < to; ) {
    // Only the first run may be empty; otherwise runs of nothing could be strung together.
    const end = at === from && isNull === 0 ? runEnd(at, to, source, 0) : runEnd(at, to, source, 1);
    if (isNull) nulls.fill(1, at, end);
    else valueCount += end - at;
    at = end;
    isNull ^= 1;
  }
  return valueCount;
}

function fillRun(target: Uint8Array, value: number, at: number, to: number, source: ByteReader): number {
  const end = runEnd(at, to, source, 1);
  target.fill(value, at, end);
  return end;
}

/** Reads a run length and says where the run ends. */
export function runEnd(at: number, to: number, source: ByteReader, lengthMin: number): number {
  const length = source.varint();
  if (length < lengthMin || length > to - at)
    throw source.garbled(`has a run of ${length} where ${to - at} samples are left`);
  return at + length;
}
