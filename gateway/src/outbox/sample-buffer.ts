import { KIND } from "@millrace/contract/block/series";
import { QUALITY, type QualityCode } from "@millrace/contract/vocabulary/quality";
import type { TagValue, ValueKind } from "@millrace/contract/vocabulary/value";
import { LIMITS } from "@millrace/contract/wire/limits";
import {
  allocateColumns,
  columnsOf,
  grownColumns,
  type Loss,
  NULL_FLAG,
  type SampleBatch,
  type SampleColumns,
} from "./sample-batch.ts";
import type { SampleSink } from "./sink.ts";

export const BUFFER_LIMITS = {
  /** First size of the columns, samples. They double from here. */
  samplesStart: 1_024,
  /** So many samples do not wait for the seal tick. */
  samplesSeal: 131_072,
  /** While the worker is behind, the columns grow up to here (23 MB); then the newest samples are dropped, with a gap. */
  samplesMax: 1_048_576,
  /** Characters of text waiting; a second bound, because a sample's text may be long. */
  textCharsMax: 8 * 1024 * 1024,
  /** Empty buffers kept for the next batches. */
  spareMax: 2,
} as const;

const VALUE_WRONG: QualityCode = QUALITY["bad.valueInvalid"];
/** A UTF-16 code unit takes at most three bytes of UTF-8, so shorter texts need no measuring. */
const TEXT_CHARS_SAFE = Math.floor(LIMITS.textBytesMax / 3);

/**
 * Samples between two seal ticks, as columns on the main thread. `push` costs a few stores and never waits; when even
 * `samplesMax` are waiting, it drops the newest and counts them.
 */
export class SampleBuffer implements SampleSink {
  #columns: SampleColumns = allocateColumns(BUFFER_LIMITS.samplesStart);
  #count = 0;
  #texts: string[] = [];
  #textChars = 0;
  #lost: Loss | null = null;
  readonly #spares: ArrayBuffer[] = [];
  readonly #onFull: () => void;

  /** @param onFull Called inside `push` when enough samples wait for a seal of their own; may call `take`. */
  constructor(onFull: () => void) {
    this.#onFull = onFull;
  }

  get count(): number {
    return this.#count;
  }

  push(tagNo: number, kind: ValueKind, value: TagValue, quality: QualityCode, timeMs: number): void {
    if (this.#count === this.#columns.capacity && !this.#makeRoom()) {
      this.#drop(timeMs);
      return;
    }
    const at = this.#count++;
    const columns = this.#columns;
    columns.tagNos[at] = tagNo;
    // Times of the block codec are whole milliseconds.
    columns.timesMs[at] = Math.round(timeMs);
    columns.quality[at] = quality;
    if (kind === "double" && typeof value === "number") {
      columns.doubles[at] = value;
      columns.kinds[at] = KIND.double;
    } else {
      this.#pushOther(at, kind, value);
    }
  }

  #pushOther(at: number, kind: ValueKind, value: TagValue): void {
    const columns = this.#columns;
    columns.kinds[at] = KIND[kind];
    if (kind === "boolean" && typeof value === "boolean") columns.doubles[at] = value ? 1 : 0;
    else if (kind === "int64" && typeof value === "bigint") columns.int64s[at] = value;
    else if (kind === "uint64" && typeof value === "bigint") columns.uint64s[at] = value;
    else if (kind === "text" && typeof value === "string" && fits(value)) {
      columns.doubles[at] = this.#texts.push(value) - 1;
      this.#textChars += value.length;
    } else {
      columns.doubles[at] = 0;
      columns.kinds[at] = KIND[kind] | NULL_FLAG;
      // A value of the wrong type must not pass as an empty one of good quality.
      if (value !== null) columns.quality[at] = VALUE_WRONG;
    }
    if (this.#textChars >= BUFFER_LIMITS.textCharsMax) this.#onFull();
  }

  /** True when there is room for one more sample afterwards. */
  #makeRoom(): boolean {
    if (this.#count >= BUFFER_LIMITS.samplesSeal) this.#onFull();
    if (this.#count < this.#columns.capacity) return true;
    if (this.#count >= BUFFER_LIMITS.samplesMax || this.#textChars >= BUFFER_LIMITS.textCharsMax)
      return false;
    const capacity = Math.min(this.#columns.capacity * 2, BUFFER_LIMITS.samplesMax);
    this.#columns = grownColumns(this.#columns, this.#count, capacity);
    return true;
  }

  #drop(timeMs: number): void {
    const lost = this.#lost;
    if (!lost) this.#lost = { n: 1, tMinMs: timeMs, tMaxMs: timeMs };
    else {
      lost.n++;
      if (timeMs < lost.tMinMs) lost.tMinMs = timeMs;
      if (timeMs > lost.tMaxMs) lost.tMaxMs = timeMs;
    }
  }

  /** Everything that waits, handed over; null when nothing does. The buffer goes on with empty columns. */
  take(): SampleBatch | null {
    if (this.#count === 0 && this.#lost === null) return null;
    const batch: SampleBatch = {
      buffer: this.#columns.buffer,
      count: this.#count,
      texts: this.#texts,
      lost: this.#lost,
    };
    const spare = this.#spares.pop();
    this.#columns = spare
      ? columnsOf(spare)
      : allocateColumns(Math.min(this.#columns.capacity, BUFFER_LIMITS.samplesSeal));
    this.#count = 0;
    this.#texts = [];
    this.#textChars = 0;
    this.#lost = null;
    return batch;
  }

  /** Takes an emptied buffer back. Grown ones are let go, so that one bad minute does not cost memory for ever. */
  recycle(buffer: ArrayBuffer): void {
    const samples = columnsOf(buffer).capacity;
    if (this.#spares.length < BUFFER_LIMITS.spareMax && samples <= BUFFER_LIMITS.samplesSeal)
      this.#spares.push(buffer);
  }
}

/** A text that the block can hold exactly: within its limit, and no half of a surrogate pair. */
const fits = (text: string): boolean =>
  text.isWellFormed() &&
  (text.length <= TEXT_CHARS_SAFE || Buffer.byteLength(text, "utf8") <= LIMITS.textBytesMax);
