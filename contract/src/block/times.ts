import { AppError } from "../error/app-error.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { BlockColumns } from "./columns.ts";
import { readDeltas, writeDeltas } from "./deltas.ts";
import { FLAG, INT_MAX, TIME_MS_MAX, TIMES } from "./layout.ts";

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

function withinDeltas(times: Float64Array, count: number): boolean {
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
    writeOwn(columns, flags, timesMs, true, out);
    return;
  }
  out.byte(TIMES.table);
  out.varint(entryCount);
  writeDeltas(out, entries, 0, entryCount, 0, true);
  writeOwn(columns, flags, indexes, false, out);
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
function writeOwn(
  columns: BlockColumns,
  flags: Uint8Array,
  ints: Float64Array,
  order2: boolean,
  out: ByteWriter,
): void {
  let base = 0;
  for (let s = 0; s < columns.seriesCount; s++) {
    if (flags[s]! & FLAG.sameTimes) continue;
    const from = columns.starts[s]!;
    writeDeltas(out, ints, from, columns.starts[s + 1]!, base, order2);
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
export function readTimes(columns: BlockColumns, flags: Uint8Array, source: ByteReader): void {
  if (columns.sampleCount === 0) return source.expectEnd();
  const mode = source.byte();
  if (mode === TIMES.raw) {
    readRawTimes(columns, source);
  } else if (mode === TIMES.deltas) {
    readOwn(columns, flags, source, true);
  } else if (mode === TIMES.table) {
    const count = source.varint();
    if (count > source.remaining || count > columns.sampleCount)
      throw source.garbled(`lists ${count} times for ${columns.sampleCount} samples`);
    const table = new Float64Array(count);
    readDeltas(source, table, 0, count, 0, true);
    readOwn(columns, flags, source, false);
    const { timesMs } = columns;
    for (let i = 0; i < timesMs.length; i++) {
      const time = table[timesMs[i]!];
      if (time === undefined) throw source.garbled(`points at time ${timesMs[i]} of ${count}`);
      timesMs[i] = time;
    }
  } else throw source.garbled(`has the unknown mode ${mode}`);
  source.expectEnd();
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

function readOwn(columns: BlockColumns, flags: Uint8Array, source: ByteReader, order2: boolean): void {
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
      readDeltas(source, timesMs, from, to, base, order2);
      base = timesMs[from]!;
    }
  }
}

let differences = new Float64Array(0);

/** Times of receipt as differences to the event times, or raw when one is out of reach. */
export function writeReceived(columns: BlockColumns, out: ByteWriter): void {
  const { receivedMs, timesMs, sampleCount } = columns;
  if (!receivedMs) return;
  const close = withinDeltas(timesMs, sampleCount) && withinReceived(columns);
  out.byte(close ? TIMES.deltas : TIMES.raw);
  if (differences.length < sampleCount) differences = new Float64Array(sampleCount);
  for (let s = 0; s < columns.seriesCount; s++) {
    if (!(columns.flags[s]! & FLAG.received)) continue;
    const from = columns.starts[s]!;
    const to = columns.starts[s + 1]!;
    checkTimes(receivedMs.subarray(from, to), to - from, `Time of receipt of tag ${columns.tagNos[s]}`);
    if (close) {
      for (let i = from; i < to; i++) differences[i] = receivedMs[i]! - timesMs[i]!;
      writeDeltas(out, differences, from, to, 0, false);
    } else out.append(new Uint8Array(receivedMs.buffer, receivedMs.byteOffset + from * 8, (to - from) * 8));
  }
}

function withinReceived(columns: BlockColumns): boolean {
  const { receivedMs, timesMs } = columns;
  if (!receivedMs) return true;
  for (let s = 0; s < columns.seriesCount; s++) {
    if (!(columns.flags[s]! & FLAG.received)) continue;
    for (let i = columns.starts[s]!; i < columns.starts[s + 1]!; i++) {
      const difference = receivedMs[i]! - timesMs[i]!;
      if (!(difference <= INT_MAX && difference >= -INT_MAX)) return false;
    }
  }
  return true;
}

/** @throws AppError `block.garbled` */
export function readReceived(columns: BlockColumns, flags: Uint8Array, source: ByteReader): void {
  const { seriesCount, starts, timesMs } = columns;
  let receivedMs: Float64Array<ArrayBuffer> | null = null;
  let mode: number = TIMES.raw;
  for (let s = 0; s < seriesCount; s++) {
    if (!(flags[s]! & FLAG.received)) continue;
    if (!receivedMs) {
      receivedMs = timesMs.slice();
      mode = source.byte();
      if (mode > TIMES.raw || mode === TIMES.table) throw source.garbled(`has the unknown mode ${mode}`);
    }
    const from = starts[s]!;
    const to = starts[s + 1]!;
    if (mode === TIMES.deltas) {
      readDeltas(source, receivedMs, from, to, 0, false);
      for (let i = from; i < to; i++) receivedMs[i]! += timesMs[i]!;
    } else new Uint8Array(receivedMs.buffer, from * 8, (to - from) * 8).set(source.take((to - from) * 8));
    for (let i = from; i < to; i++) {
      const time = receivedMs[i]!;
      if (!(time >= -TIME_MS_MAX && time <= TIME_MS_MAX) || Math.floor(time) !== time)
        throw source.garbled(`holds the time ${time}`);
    }
  }
  columns.receivedMs = receivedMs;
  source.expectEnd();
}
