import { BUS_BANDS_MS } from "@millrace/contract/wire/bus";
import type { Tally } from "./windowed.ts";

/** Buckets of a doubling: an answer time is known to 19 %, from 260 bytes a histogram. */
const PER_DOUBLING = 4;
/** 1 ms to 65 s: the longest time-out of a driver is a minute. */
const DOUBLINGS = 16;
/** One more for what is faster, none for what is slower: that counts as the slowest. */
const BUCKETS = PER_DOUBLING * DOUBLINGS + 1;

/** How long answers took. Bounded, and quick enough to be asked at each of them. */
export class Histogram implements Tally<Histogram> {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  maxMs = 0;

  note(ms: number): void {
    const bucket = ms <= 1 ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log2(ms) * PER_DOUBLING));
    this.#counts[bucket]!++;
    this.#count++;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  /** @param share 0 to 1 @returns ms, by its place among those of its bucket, never above the longest; null while nothing was noted */
  quantile(share: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.max(1, Math.ceil(share * this.#count));
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.#counts[bucket]!;
      if (count >= left) return Math.min(this.maxMs, 2 ** ((bucket - 1 + left / count) / PER_DOUBLING));
      left -= count;
    }
    return this.maxMs;
  }

  /** Answers by `BUS_BANDS_MS`, whose ends are ends of buckets. */
  bands(): number[] {
    const bands = new Array<number>(BUS_BANDS_MS.length + 1).fill(0);
    this.#counts.forEach((count, bucket) => {
      const endMs = 2 ** (bucket / PER_DOUBLING);
      const band = BUS_BANDS_MS.findIndex((ms) => endMs <= ms);
      bands[band < 0 ? BUS_BANDS_MS.length : band]! += count;
    });
    return bands;
  }

  add(other: Histogram): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) this.#counts[bucket]! += other.#counts[bucket]!;
    this.#count += other.#count;
    this.maxMs = Math.max(this.maxMs, other.maxMs);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.maxMs = 0;
  }
}
