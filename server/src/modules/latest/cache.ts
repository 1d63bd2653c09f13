import { type QualityCode, qualityLevel } from "@millrace/contract/vocabulary/quality";
import type { Sample } from "@millrace/contract/vocabulary/sample";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { SlotIndex } from "./slot-index.ts";

/**
 * A clock that runs ahead must not freeze a tile until the future comes: such samples are stored, but never become
 * the latest value (`delivery.md` 2.7).
 */
export const FUTURE_MS_MAX = 5 * 60_000;

export interface LatestSample {
  value: TagValue;
  quality: QualityCode;
  timeMs: number;
}

export interface LatestOfTag {
  tagNo: number;
  /** Null when nothing was ever received. */
  newest: LatestSample | null;
  /** Newest sample of good quality. */
  good: { value: TagValue; timeMs: number } | null;
}

export interface OfferCount {
  taken: number;
  /** Not newer than what is known: normal when an outbox drains. */
  older: number;
  /** Further ahead of the hub's clock than `FUTURE_MS_MAX`. */
  future: number;
}

/**
 * Newest sample of every tag by event time, in memory, one slot a tag. A tag has a slot only when a gateway owns it,
 * so the size is bounded by the plant and not by what a gateway sends. `version` counts changes over all tags; a
 * reader that remembers it finds what changed without any queue.
 */
export class LatestCache {
  readonly #slotOf = new SlotIndex();
  #size = 0;
  #tagNos = new Uint32Array(1024);
  #owners = new Int32Array(1024);
  readonly #values: TagValue[] = [];
  readonly #goodValues: TagValue[] = [];
  #times = new Float64Array(1024);
  #goodTimes = new Float64Array(1024);
  #qualities = new Uint8Array(1024);
  #versions = new Float64Array(1024);
  #version = 0;

  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#size;
  }

  /** Makes a gateway the owner of a tag, with a slot of its own; a second call moves the tag. */
  own(tagNo: number, gatewayNo: number): void {
    const known = this.#slotOf.get(tagNo);
    if (known !== undefined) {
      this.#owners[known] = gatewayNo;
      return;
    }
    const slot = this.#size++;
    if (slot === this.#times.length) this.#grow();
    this.#slotOf.set(tagNo, slot);
    this.#tagNos[slot] = tagNo;
    this.#owners[slot] = gatewayNo;
    this.#values.push(null);
    this.#goodValues.push(null);
    this.#times[slot] = Number.NEGATIVE_INFINITY;
    this.#goodTimes[slot] = Number.NEGATIVE_INFINITY;
    this.#versions[slot] = 0;
  }

  #grow(): void {
    const length = this.#times.length * 2;
    const grown = <T extends Float64Array | Uint32Array | Int32Array | Uint8Array>(old: T, next: T): T => {
      next.set(old);
      return next;
    };
    this.#tagNos = grown(this.#tagNos, new Uint32Array(length));
    this.#owners = grown(this.#owners, new Int32Array(length));
    this.#times = grown(this.#times, new Float64Array(length));
    this.#goodTimes = grown(this.#goodTimes, new Float64Array(length));
    this.#versions = grown(this.#versions, new Float64Array(length));
    this.#qualities = grown(this.#qualities, new Uint8Array(length));
  }

  ownerOf(tagNo: number): number | undefined {
    const slot = this.#slotOf.get(tagNo);
    return slot === undefined ? undefined : this.#owners[slot];
  }

  /** In slot order. A view: what is added later is not in it. */
  tagNos(): Uint32Array {
    return this.#tagNos.subarray(0, this.#size);
  }

  /**
   * Takes one sample of an owned tag. A sample with the same time as the newest replaces it: within one stream the
   * later frame is the later word. Unknown tags are the caller's business (`ownerOf`).
   */
  offer(sample: Sample, nowMs: number): keyof OfferCount {
    const slot = this.#slotOf.get(sample.tagNo);
    if (slot === undefined) return "older";
    const { timeMs } = sample;
    if (timeMs > nowMs + FUTURE_MS_MAX) return "future";
    let taken = false;
    if (timeMs >= this.#times[slot]!) {
      this.#times[slot] = timeMs;
      this.#values[slot] = sample.value;
      this.#qualities[slot] = sample.quality;
      taken = true;
    }
    if (timeMs >= this.#goodTimes[slot]! && qualityLevel(sample.quality) === "good") {
      this.#goodTimes[slot] = timeMs;
      this.#goodValues[slot] = sample.value;
      taken = true;
    }
    if (!taken) return "older";
    this.#versions[slot] = ++this.#version;
    return "taken";
  }

  /** Null when the hub has no such tag. */
  read(tagNo: number): LatestOfTag | null {
    const slot = this.#slotOf.get(tagNo);
    if (slot === undefined) return null;
    const timeMs = this.#times[slot]!;
    const goodMs = this.#goodTimes[slot]!;
    return {
      tagNo,
      newest:
        timeMs === Number.NEGATIVE_INFINITY
          ? null
          : { value: this.#values[slot]!, quality: this.#qualities[slot]!, timeMs },
      good: goodMs === Number.NEGATIVE_INFINITY ? null : { value: this.#goodValues[slot]!, timeMs: goodMs },
    };
  }

  /** Version at which this tag changed last; 0 when never or unknown. */
  versionOf(tagNo: number): number {
    const slot = this.#slotOf.get(tagNo);
    return slot === undefined ? 0 : this.#versions[slot]!;
  }

  /** Tags changed after `version`, in slot order. */
  changedSince(version: number): number[] {
    const changed: number[] = [];
    for (let slot = 0; slot < this.#size; slot++) {
      if (this.#versions[slot]! > version) changed.push(this.#tagNos[slot]!);
    }
    return changed;
  }
}
