import { AppError } from "../error/app-error.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { BlockColumns } from "./columns.ts";
import { readDeltas, writeDeltas } from "./deltas.ts";
import { FLAG, INT_MAX, TIME_MS_MAX, TIMES } from "./layout.ts";
import { choosePacked, readPacked, writePacked } from "./packed.ts";

/**
 * Event times. One scan reads many tags at the same millisecond, so times are shared three ways: a series with exactly
 * the times of the series before costs one flag; otherwise the block may list its distinct times once and series
 * point into the list; otherwise each series is written as differences of differences.
 */

let entries = new Float64Array(0);
let indexes = new Float64Array(0);
let slots = new Int32Array(0);

/** @throws AppError `block.invalid` when a time is not a whole number of ms within ±8.64e15. */
export function checkTimes(timesMs: Float64Array, count: number, what: string): void {
  for (let i = 0; i < count; i++) {
    const time = timesMs[i]!;
    if (!(time >= -TIME_MS_MAX && time <= TIME_MS_MAX) || Math.floor(time) !== time) {
      throw new AppError("block.invalid", `${what} ${time} is no whole number of ms within ±8.64e15`);
    }
  }
}

/** True when no time is out of reach of differences. */
export function withinDeltas(times: Float64Array, count: number): boolean {
  for (let i = 0; i < count; i++) if (times[i]! > INT_MAX || times[i]! < -INT_MAX) return false;
  return true;
}

/** Sets `FLAG.sameTimes` in `flags` and writes all other series' times. */
export function writeTimes(columns: BlockColumns, flags: Uint8Array, out: ByteWriter): void {
  const { sampleCount, timesMs } = columns;
  if (sampleCount === 0) return;
  if (!withinDeltas(timesMs, sampleCount)) {
    out.byte(TIMES.raw);
    out.append(new Uint8Array(timesMs.buffer, timesMs.byteOffset, sampleCount * 8));
    return;
  }
  const own = flagSameTimes(columns, flags);
  const entryCount = own.series < 2 ? -1 : buildTable(columns, flags);
  if (entryCount < 0 || entryCount * 2 > own.samples) {
    out.byte(TIMES.deltas);
    writeOwn(columns, flags, timesMs, deltas(out, true));
    return;
  }
  out.byte(TIMES.table);
  out.varint(entryCount);
  writeDeltas(out, entries, 0, entryCount, 0, true);
  writeOwn(columns, flags, indexes, deltas(out, false));
}

/** Below this many samples a series, the heads of packed numbers cost more than they save. */
const PACKED_SAMPLES_MIN = 24;

/** `writeTimes` for version 2: packed, on a grid where there is one. Noise goes to `plain`. */
export function writeTimesPacked(
  columns: BlockColumns,
  flags: Uint8Array,
  out: ByteWriter,
  plain: ByteWriter,
): void {
  const { sampleCount, timesMs } = columns;
  if (sampleCount === 0) return;
  const own = withinDeltas(timesMs, sampleCount) ? flagSameTimes(columns, flags) : null;
  if (!own || own.samples < PACKED_SAMPLES_MIN * own.series) return writeTimes(columns, flags, out);
  const entryCount = own.series < 2 ? -1 : buildTable(columns, flags);
  // The rule of version 1 first: weighing both takes as long as writing.
  if (entryCount >= 0 && entryCount * 2 <= own.samples) {
    const table = choosePacked(entries, 0, entryCount, true);
    const withTable = table.bytes + packedBytes(columns, flags, indexes, false);
    if (withTable < packedBytes(columns, flags, timesMs, true)) {
      out.byte(TIMES.packedTable);
      out.varint(entryCount);
      writePacked(table, entries, 0, entryCount, 0, out, plain);
      return writeOwn(columns, flags, indexes, packed(out, plain, false));
    }
  }
  out.byte(TIMES.packed);
  writeOwn(columns, flags, timesMs, packed(out, plain, true));
}

type WriteInts = (ints: Float64Array, from: number, to: number, base: number) => void;

function deltas(out: ByteWriter, order2: boolean): WriteInts {
  return (ints, from, to, base) => writeDeltas(out, ints, from, to, base, order2);
}

function packed(out: ByteWriter, plain: ByteWriter, mayGrid: boolean): WriteInts {
  return (ints, from, to, base) =>
    writePacked(choosePacked(ints, from, to, mayGrid), ints, from, to, base, out, plain);
}

function packedBytes(columns: BlockColumns, flags: Uint8Array, ints: Float64Array, mayGrid: boolean): number {
  let bytes = 0;
  writeOwn(columns, flags, ints, (_, from, to) => {
    bytes += choosePacked(ints, from, to, mayGrid).bytes;
  });
  return bytes;
}

function flagSameTimes(columns: BlockColumns, flags: Uint8Array): { series: number; samples: number } {
  const { seriesCount, starts, timesMs } = columns;
  let series = 0;
  let samples = 0;
  let before = 0;
  let countBefore = -1;
  for (let s = 0; s < seriesCount; s++) {
    const from = starts[s]!;
    const count = starts[s + 1]! - from;
    let same = count === countBefore;
    for (let i = 0; same && i < count; i++) same = timesMs[from + i] === timesMs[before + i];
    if (same) flags[s]! |= FLAG.sameTimes;
    else {
      series++;
      samples += count;
    }
    before = from;
    countBefore = count;
  }
  return { series, samples };
}

/** Each series that does not share its times, against the first number of the one before. */
function writeOwn(columns: BlockColumns, flags: Uint8Array, ints: Float64Array, write: WriteInts): void {
  let base = 0;
  for (let s = 0; s < columns.seriesCount; s++) {
    if (flags[s]! & FLAG.sameTimes) continue;
    const from = columns.starts[s]!;
    write(ints, from, columns.starts[s + 1]!, base);
    base = ints[from]!;
  }
}

/**
 * Distinct times in order of first appearance, and each sample's place among them. -1 as soon as it is plain that the
 * table would not pay.
 */
function buildTable(columns: BlockColumns, flags: Uint8Array): number {
  const { seriesCount, sampleCount, starts, timesMs } = columns;
  const size = prepareTable(sampleCount);
  const mask = size - 1;
  const base = timesMs[0]!;
  let entryCount = 0;
  let seen = 0;
  for (let s = 0; s < seriesCount; s++) {
    if (flags[s]! & FLAG.sameTimes) continue;
    const to = starts[s + 1]!;
    let last = -1;
    for (let i = starts[s]!; i < to; i++) {
      const time = timesMs[i]!;
      let index = last + 1;
      if (last < 0 || index >= entryCount || entries[index] !== time) {
        let slot = Math.imul((time - base) | 0, 0x9e37_79b1) & mask;
        index = slots[slot]!;
        while (index >= 0 && entries[index] !== time) {
          slot = (slot + 1) & mask;
          index = slots[slot]!;
        }
        if (index < 0) {
          index = entryCount++;
          entries[index] = time;
          slots[slot] = index;
        }
      }
      indexes[i] = index;
      last = index;
    }
    seen += to - starts[s]!;
    if (entryCount > 4096 && seen < sampleCount && entryCount * 1.2 > seen && s > 3) return -1;
  }
  return entryCount;
}

function prepareTable(sampleCount: number): number {
  if (entries.length < sampleCount) {
    entries = new Float64Array(sampleCount);
    indexes = new Float64Array(sampleCount);
  }
  let size = 1024;
  while (size < sampleCount * 2) size *= 2;
  if (slots.length < size) slots = new Int32Array(size);
  slots.fill(-1, 0, size);
  return size;
}

/** @throws AppError `block.garbled` */
export function readTimes(
  columns: BlockColumns,
  flags: Uint8Array,
  source: ByteReader,
  plain: ByteReader | null,
): void {
  if (columns.sampleCount === 0) return source.expectEnd();
  const mode = source.byte();
  const second: ReadInts = (ints, from, to, base) => readDeltas(source, ints, from, to, base, true);
  if (mode === TIMES.raw) readRawTimes(columns, source);
  else if (mode === TIMES.deltas) readOwn(columns, flags, source, second);
  else if (mode === TIMES.table) {
    const first: ReadInts = (ints, from, to, base) => readDeltas(source, ints, from, to, base, false);
    readTable(columns, flags, source, second, first);
  } else if (plain && (mode === TIMES.packed || mode === TIMES.packedTable)) {
    const read: ReadInts = (ints, from, to, base) => readPacked(source, plain, ints, from, to, base);
    if (mode === TIMES.packed) readOwn(columns, flags, source, read);
    else readTable(columns, flags, source, read, read);
  } else throw source.garbled(`has the unknown mode ${mode}`);
  source.expectEnd();
}

type ReadInts = (ints: Float64Array, from: number, to: number, base: number) => void;

function readTable(
  columns: BlockColumns,
  flags: Uint8Array,
  source: ByteReader,
  readEntries: ReadInts,
  readIndexes: ReadInts,
): void {
  const { timesMs, sampleCount } = columns;
  const count = source.varint();
  if (count > sampleCount || count === 0)
    throw source.garbled(`lists ${count} times for ${sampleCount} samples`);
  const table = new Float64Array(count);
  readEntries(table, 0, count, 0);
  readOwn(columns, flags, source, readIndexes);
  for (let i = 0; i < timesMs.length; i++) {
    const time = table[timesMs[i]!];
    if (time === undefined) throw source.garbled(`points at time ${timesMs[i]} of ${count}`);
    timesMs[i] = time;
  }
}

function readRawTimes(columns: BlockColumns, source: ByteReader): void {
  const { timesMs } = columns;
  new Uint8Array(timesMs.buffer).set(source.take(timesMs.length * 8));
  for (let i = 0; i < timesMs.length; i++) {
    const time = timesMs[i]!;
    if (!(time >= -TIME_MS_MAX && time <= TIME_MS_MAX) || Math.floor(time) !== time)
      throw source.garbled(`holds the time ${time}`);
  }
}

function readOwn(columns: BlockColumns, flags: Uint8Array, source: ByteReader, read: ReadInts): void {
  const { seriesCount, starts, timesMs } = columns;
  let base = 0;
  for (let s = 0; s < seriesCount; s++) {
    const from = starts[s]!;
    const to = starts[s + 1]!;
    if (flags[s]! & FLAG.sameTimes) {
      const before = s === 0 ? -1 : starts[s - 1]!;
      if (s === 0 || from - before !== to - from)
        throw source.garbled(`gives series ${s} the times of a series of another length`);
      timesMs.copyWithin(from, before, from);
    } else {
      read(timesMs, from, to, base);
      base = timesMs[from]!;
    }
  }
}
