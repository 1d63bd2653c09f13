import type { ByteReader, ByteWriter } from "./bytes.ts";
import type { BlockColumns } from "./columns.ts";
import { readDeltas, writeDeltas } from "./deltas.ts";
import { FLAG, INT_MAX, TIME_MS_MAX, TIMES } from "./layout.ts";
import { choosePacked, readPacked, writePacked } from "./packed.ts";
import { checkTimes, withinDeltas } from "./times.ts";

let differences = new Float64Array(0);

/**
 * Times of receipt as differences to the event times, or raw when one is out of reach. With `plain`, where version 2
 * keeps its noise, the differences are packed.
 */
export function writeReceived(columns: BlockColumns, out: ByteWriter, plain: ByteWriter | null): void {
  const { receivedMs, timesMs, sampleCount } = columns;
  // A column that no series uses may lie there: columns cut out of larger ones keep theirs. The reader goes by the flags.
  if (!receivedMs || !hasReceived(columns)) return;
  const close = withinDeltas(timesMs, sampleCount) && withinReceived(columns);
  out.byte(!close ? TIMES.raw : plain ? TIMES.packed : TIMES.deltas);
  if (differences.length < sampleCount) differences = new Float64Array(sampleCount);
  for (let s = 0; s < columns.seriesCount; s++) {
    if (!(columns.flags[s]! & FLAG.received)) continue;
    const from = columns.starts[s]!;
    const to = columns.starts[s + 1]!;
    checkTimes(receivedMs.subarray(from, to), to - from, `Time of receipt of tag ${columns.tagNos[s]}`);
    if (close) {
      for (let i = from; i < to; i++) differences[i] = receivedMs[i]! - timesMs[i]!;
      if (plain) {
        const choice = choosePacked(differences, from, to, false);
        writePacked(choice, differences, from, to, 0, out, plain);
      } else writeDeltas(out, differences, from, to, 0, false);
    } else out.append(new Uint8Array(receivedMs.buffer, receivedMs.byteOffset + from * 8, (to - from) * 8));
  }
}

function hasReceived({ seriesCount, flags }: BlockColumns): boolean {
  for (let s = 0; s < seriesCount; s++) if (flags[s]! & FLAG.received) return true;
  return false;
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
export function readReceived(
  columns: BlockColumns,
  flags: Uint8Array,
  source: ByteReader,
  plain: ByteReader | null,
): void {
  const { seriesCount, starts, timesMs } = columns;
  let receivedMs: Float64Array<ArrayBuffer> | null = null;
  let mode: number = TIMES.raw;
  for (let s = 0; s < seriesCount; s++) {
    if (!(flags[s]! & FLAG.received)) continue;
    if (!receivedMs) {
      receivedMs = timesMs.slice();
      mode = source.byte();
      if (mode !== TIMES.raw && mode !== TIMES.deltas && !(plain && mode === TIMES.packed))
        throw source.garbled(`has the unknown mode ${mode}`);
    }
    const from = starts[s]!;
    const to = starts[s + 1]!;
    if (mode !== TIMES.raw) {
      if (plain && mode === TIMES.packed) readPacked(source, plain, receivedMs, from, to, 0);
      else readDeltas(source, receivedMs, from, to, 0, false);
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
