import type { Compression } from "@millrace/contract/block/compression";
import { encodeBlock } from "@millrace/contract/block/encode";
import type { Series } from "@millrace/contract/block/series";
import { AppError } from "@millrace/contract/error/app-error";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { Draft } from "./draft.ts";
import { groupByTag } from "./group.ts";
import type { SampleBatch } from "./sample-batch.ts";

/** Aim well under the limit, so that a block that compresses worse than the last still fits at the first try. */
const BODY_BYTES_AIM = 44 * 1024;
const BYTES_PER_SAMPLE_START = 4;
const NEW_SHARE = 0.3;

/** Cuts a batch into blocks of the size a frame may have. Learns how well this plant's data compresses. */
export class Sealer {
  #bytesPerSample = BYTES_PER_SAMPLE_START;
  readonly #compression: Compression;

  constructor(compression: Compression) {
    this.#compression = compression;
  }

  /** Blocks of a batch, then the gap of what there was no room for. */
  seal(batch: SampleBatch): Draft[] {
    const drafts: Draft[] = [];
    if (batch.count > 0) for (const cut of this.#cuts(groupByTag(batch))) this.#encode(cut, drafts);
    if (batch.lost) drafts.push({ kind: "gap", cause: "overflow", ...batch.lost });
    return drafts;
  }

  *#cuts(series: readonly Series[]): Generator<Series[]> {
    let cut: Series[] = [];
    let samples = 0;
    for (const one of series) {
      // One block holds a tag once; a tag that changed its kind in between goes on in the next block.
      if (cut.at(-1)?.tagNo === one.tagNo) {
        yield cut;
        cut = [];
        samples = 0;
      }
      for (let from = 0; from < one.timesMs.length; ) {
        const room = this.#samplesAim() - samples;
        const to = Math.min(one.timesMs.length, from + Math.max(1, room));
        cut.push(to - from === one.timesMs.length ? one : part(one, from, to));
        samples += to - from;
        from = to;
        if (samples < this.#samplesAim()) continue;
        yield cut;
        cut = [];
        samples = 0;
      }
    }
    if (cut.length > 0) yield cut;
  }

  #samplesAim(): number {
    return Math.max(1, Math.min(LIMITS.blockSamplesMax, Math.floor(BODY_BYTES_AIM / this.#bytesPerSample)));
  }

  #encode(series: Series[], drafts: Draft[]): void {
    const samples = series.reduce((sum, one) => sum + one.timesMs.length, 0);
    const body = this.#tryEncode(series);
    if (body === null) {
      const [low, high] = halves(series, samples);
      this.#encode(low, drafts);
      this.#encode(high, drafts);
      return;
    }
    // Small blocks say little about large ones: their header and first values weigh more.
    if (samples >= 1_000) {
      this.#bytesPerSample = this.#bytesPerSample * (1 - NEW_SHARE) + (body.byteLength / samples) * NEW_SHARE;
    }
    drafts.push({ kind: "data", body, n: samples, ...timeSpan(series) });
  }

  /** Null when the block is too large for a frame and can still be cut. */
  #tryEncode(series: Series[]): Uint8Array | null {
    const single = series.length === 1 && series[0]!.timesMs.length === 1;
    try {
      const body = encodeBlock(series, this.#compression);
      if (body.byteLength <= LIMITS.frameBodyBytesMax || single) return body;
      this.#bytesPerSample *= 1.5;
      return null;
    } catch (thrown) {
      if (!single && thrown instanceof AppError && thrown.code === "block.limit") return null;
      throw thrown;
    }
  }
}

function part(series: Series, from: number, to: number): Series {
  const base = {
    timesMs: series.timesMs.subarray(from, to),
    quality: series.quality.subarray(from, to),
    nulls: series.nulls?.subarray(from, to) ?? null,
    receivedMs: series.receivedMs?.subarray(from, to) ?? null,
  };
  switch (series.kind) {
    case "double":
      return { ...series, ...base, values: series.values.subarray(from, to) };
    case "int64":
      return { ...series, ...base, values: series.values.subarray(from, to) };
    case "uint64":
      return { ...series, ...base, values: series.values.subarray(from, to) };
    case "boolean":
      return { ...series, ...base, values: series.values.subarray(from, to) };
    case "text":
      return { ...series, ...base, values: series.values.slice(from, to) };
  }
}

function halves(series: readonly Series[], samples: number): [Series[], Series[]] {
  const low: Series[] = [];
  const high: Series[] = [];
  let left = samples >> 1;
  for (const one of series) {
    const { length } = one.timesMs;
    if (length <= left) low.push(one);
    else if (left === 0) high.push(one);
    else {
      low.push(part(one, 0, left));
      high.push(part(one, left, length));
    }
    left = Math.max(0, left - length);
  }
  return [low, high];
}

function timeSpan(series: readonly Series[]): { tMinMs: number; tMaxMs: number } {
  let tMinMs = Number.POSITIVE_INFINITY;
  let tMaxMs = Number.NEGATIVE_INFINITY;
  for (const one of series) {
    for (const time of one.timesMs) {
      if (time < tMinMs) tMinMs = time;
      if (time > tMaxMs) tMaxMs = time;
    }
  }
  return { tMinMs, tMaxMs };
}
