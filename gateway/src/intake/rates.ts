import type { Clock } from "@millrace/contract/std/clock";

interface Bucket {
  left: number;
  atMonoMs: number;
}

/** What each of many names may take, filled again as time passes. Bounded: who came first is forgotten first. */
export class Rates {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #namesMax: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, perSecond: number, burst: number, namesMax: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#namesMax = namesMax;
  }

  #bucket(name: string): Bucket {
    const monoMs = this.#clock.monoMs();
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      const [oldest] = this.#buckets.keys();
      if (this.#buckets.size >= this.#namesMax && oldest !== undefined) this.#buckets.delete(oldest);
      bucket = { left: this.#burst, atMonoMs: monoMs };
      this.#buckets.set(name, bucket);
    }
    const grown = ((monoMs - bucket.atMonoMs) / 1_000) * this.#perSecond;
    bucket.left = Math.min(this.#burst, bucket.left + grown);
    bucket.atMonoMs = monoMs;
    return bucket;
  }

  /** True when nothing is left, without taking. */
  empty(name: string): boolean {
    return this.#bucket(name).left < 1;
  }

  /** Takes one, also on credit. @returns how long the taker should wait for it, ms; 0 when there was one */
  take(name: string): number {
    const bucket = this.#bucket(name);
    // A debt is bounded: who does not wait is not let in deeper.
    bucket.left = Math.max(-this.#burst, bucket.left - 1);
    return bucket.left >= 0 ? 0 : Math.ceil((-bucket.left / this.#perSecond) * 1_000);
  }
}
