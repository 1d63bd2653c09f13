import type { TagValue } from "@millrace/contract/vocabulary/value";

/**
 * Figures of consecutive stretches of one tag, as columns of equal length in order of time; stretches without any
 * sample are left out. Figures of disjoint stretches combine exactly into those of a longer one, except that sums of
 * doubles depend on their order in the last bits.
 */
export interface TierColumns {
  length: number;
  startMs: Float64Array;
  /** Usable samples: good or uncertain, with a finite value. */
  count: Uint32Array;
  /** Of `count`, those that are uncertain. */
  uncertain: Uint32Array;
  /** Samples that are not usable. */
  bad: Uint32Array;
  /** Of the usable samples; NaN where there is none, and for text. Booleans count as 0 and 1. */
  min: Float64Array;
  max: Float64Array;
  sum: Float64Array;
  first: Float64Array;
  last: Float64Array;
  /**
   * What doubles cannot hold: for 64-bit integers all four, for text first and last (min and max null). Null for other
   * kinds. Entries are null where `count` is 0.
   */
  exact: {
    min: ArrayLike<TagValue> | null;
    max: ArrayLike<TagValue> | null;
    first: ArrayLike<TagValue>;
    last: ArrayLike<TagValue>;
  } | null;
}
