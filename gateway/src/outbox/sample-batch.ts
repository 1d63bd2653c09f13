/**
 * The columns of many samples in one buffer, so that a hand-over between threads moves one pointer and the buffer can
 * come back empty. Layout, 22 bytes a sample: times f64, slots 8 bytes, tag numbers u32, kinds u8, quality u8.
 */
export interface SampleColumns {
  readonly buffer: ArrayBuffer;
  readonly capacity: number;
  readonly timesMs: Float64Array;
  /** Three views of the same 8-byte slots; the kind says which one holds the value. Text: number in the side list. */
  readonly doubles: Float64Array;
  readonly int64s: BigInt64Array;
  readonly uint64s: BigUint64Array;
  readonly tagNos: Uint32Array;
  /** `KIND` of the block codec; plus `NULL_FLAG` where there is no value. */
  readonly kinds: Uint8Array;
  readonly quality: Uint8Array;
}

export const SAMPLE_BYTES = 22;
export const NULL_FLAG = 0x80;

export const allocateColumns = (capacity: number): SampleColumns =>
  columnsOf(new ArrayBuffer(capacity * SAMPLE_BYTES));

export function columnsOf(buffer: ArrayBuffer): SampleColumns {
  const capacity = Math.floor(buffer.byteLength / SAMPLE_BYTES);
  const slotsAt = capacity * 8;
  const tagsAt = capacity * 16;
  return {
    buffer,
    capacity,
    timesMs: new Float64Array(buffer, 0, capacity),
    doubles: new Float64Array(buffer, slotsAt, capacity),
    int64s: new BigInt64Array(buffer, slotsAt, capacity),
    uint64s: new BigUint64Array(buffer, slotsAt, capacity),
    tagNos: new Uint32Array(buffer, tagsAt, capacity),
    kinds: new Uint8Array(buffer, capacity * 20, capacity),
    quality: new Uint8Array(buffer, capacity * 21, capacity),
  };
}

/** Copies the first `count` samples into larger columns. */
export function grownColumns(from: SampleColumns, count: number, capacity: number): SampleColumns {
  const to = allocateColumns(capacity);
  to.timesMs.set(from.timesMs.subarray(0, count));
  to.uint64s.set(from.uint64s.subarray(0, count));
  to.tagNos.set(from.tagNos.subarray(0, count));
  to.kinds.set(from.kinds.subarray(0, count));
  to.quality.set(from.quality.subarray(0, count));
  return to;
}

/** Samples that were dropped, and when they were taken. Becomes a gap frame. */
export interface Loss {
  n: number;
  tMinMs: number;
  tMaxMs: number;
}

export const addLoss = (to: Loss | null, more: Loss | null): Loss | null => {
  if (!to || !more) return to ?? more;
  return {
    n: to.n + more.n,
    tMinMs: Math.min(to.tMinMs, more.tMinMs),
    tMaxMs: Math.max(to.tMaxMs, more.tMaxMs),
  };
};

/** What crosses to the outbox worker. `buffer` is transferred. */
export interface SampleBatch {
  buffer: ArrayBuffer;
  count: number;
  texts: readonly string[];
  /** Samples there was no room for since the batch before. */
  lost: Loss | null;
}
