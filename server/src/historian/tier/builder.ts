import type { TagValue } from "@millrace/contract/vocabulary/value";
import type { TierColumns } from "./tier.ts";

/** Figures with the times of the first and the last usable sample, which only putting kinds together needs. */
export interface TimedTier {
  tier: TierColumns;
  firstMs: Float64Array;
  lastMs: Float64Array;
}

/** Numbers of one stretch, in this order. */
const FIGURES = 7;

/** Appends stretches in order of time; the columns grow by doubling. */
export class TierBuilder {
  #length = 0;
  #startMs = new Float64Array(64);
  #counts = new Uint32Array(64 * 3);
  /** min, max, sum, first, last, firstMs, lastMs of each stretch. */
  #figures = new Float64Array(64 * FIGURES).fill(Number.NaN);
  readonly #exact: Record<"min" | "max" | "first" | "last", TagValue[]> | null;

  /**
   * @param exact whether the kind needs more than doubles
   * @param exactRange whether it also has a least and a greatest value: text has none
   */
  constructor(
    exact: boolean,
    private readonly exactRange: boolean,
  ) {
    this.#exact = exact ? { min: [], max: [], first: [], last: [] } : null;
  }

  /** Begins the next stretch. */
  open(startMs: number, count: number, uncertain: number, bad: number): void {
    if (this.#length === this.#startMs.length) this.#grow();
    const i = this.#length++;
    this.#startMs[i] = startMs;
    this.#counts[3 * i] = count;
    this.#counts[3 * i + 1] = uncertain;
    this.#counts[3 * i + 2] = bad;
    if (this.#exact) for (const figure of EXACT) this.#exact[figure].push(null);
  }

  numbers(min: number, max: number, sum: number, first: number, last: number): void {
    const at = (this.#length - 1) * FIGURES;
    this.#figures[at] = min;
    this.#figures[at + 1] = max;
    this.#figures[at + 2] = sum;
    this.#figures[at + 3] = first;
    this.#figures[at + 4] = last;
  }

  times(firstMs: number, lastMs: number): void {
    const at = (this.#length - 1) * FIGURES;
    this.#figures[at + 5] = firstMs;
    this.#figures[at + 6] = lastMs;
  }

  exact(min: TagValue, max: TagValue, first: TagValue, last: TagValue): void {
    const exact = this.#exact;
    if (exact === null) return;
    const i = this.#length - 1;
    exact.min[i] = min;
    exact.max[i] = max;
    exact.first[i] = first;
    exact.last[i] = last;
  }

  finish(): TimedTier {
    const length = this.#length;
    const count = (offset: number) => new Uint32Array(length).map((_, i) => this.#counts[3 * i + offset]!);
    const figure = (offset: number) =>
      new Float64Array(length).map((_, i) => this.#figures[FIGURES * i + offset]!);
    const exact = this.#exact;
    const tier: TierColumns = {
      length,
      startMs: this.#startMs.slice(0, length),
      count: count(0),
      uncertain: count(1),
      bad: count(2),
      min: figure(0),
      max: figure(1),
      sum: figure(2),
      first: figure(3),
      last: figure(4),
      exact: exact && {
        min: this.exactRange ? exact.min : null,
        max: this.exactRange ? exact.max : null,
        first: exact.first,
        last: exact.last,
      },
    };
    return { tier, firstMs: figure(5), lastMs: figure(6) };
  }

  #grow(): void {
    const room = this.#startMs.length * 2;
    const grow = <T extends Float64Array | Uint32Array>(old: T, fresh: T): T => {
      fresh.set(old as never);
      return fresh;
    };
    this.#startMs = grow(this.#startMs, new Float64Array(room));
    this.#counts = grow(this.#counts, new Uint32Array(room * 3));
    this.#figures = grow(this.#figures, new Float64Array(room * FIGURES).fill(Number.NaN));
  }
}

const EXACT = ["min", "max", "first", "last"] as const;
