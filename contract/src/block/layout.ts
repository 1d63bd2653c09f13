/**
 * Numbers of block format versions 1 and 2. The layout is explained in `docs/block-format.md`; everything here is frozen:
 * a change of meaning is a new version.
 */

/** "MRB" and the version. */
export const BLOCK_MAGIC = [0x4d, 0x52, 0x42] as const;
export const BLOCK_VERSION = 1;
/** What the historian writes: large chunks of few tags. Everything on the wire is version 1. */
export const BLOCK_VERSION_2 = 2;
export type BlockVersion = typeof BLOCK_VERSION | typeof BLOCK_VERSION_2;
/** magic 3, version 1, compression 1, reserved 3, raw bytes u32, series u32, samples u32; little endian. */
export const BLOCK_HEADER_BYTES = 20;
/** Version 2 adds: plain bytes u32, raw bytes of the times u32, stored bytes of the times u32. */
export const BLOCK_HEADER_2_BYTES = 32;

/** Sections of the raw body, in this order, after the table of their lengths. */
export const SECTIONS = [
  "tags",
  "counts",
  "codes",
  "flags",
  "params",
  "times",
  "received",
  "quality",
  "nulls",
  "ints",
  "planes32",
  "planes64",
  "bits",
  "texts",
] as const;
export type Section = (typeof SECTIONS)[number];

/** Code byte of a series: kind × 16 + how its values are coded. */
export const CODE = {
  /** No value at all: every sample is null. */
  none: 0,
  /** Whole numbers m as deltas; `params` says how m becomes the value. */
  ints: 1,
  /** 32-bit floats, xor with the one before, in byte planes. */
  planes32: 2,
  /** 64-bit words, xor with the one before, in byte planes. */
  planes64: 3,
  bits: 4,
  runs: 5,
  /** Numbers of entries of the block's text table. */
  texts: 6,
  /** Since version 2. Whole numbers m, packed; `params` says how m becomes the value. */
  packed: 7,
  /** Since version 2. 64-bit words: high halves packed, low halves as byte planes. */
  halves: 8,
} as const;

/** Flag byte of a series. */
export const FLAG = {
  /** Exactly the times of the series before. */
  sameTimes: 1,
  /** All values are equal: one is written. */
  constant: 2,
  qualityConstant: 4,
  qualityRuns: 8,
  nulls: 16,
  received: 32,
  all: 63,
} as const;

/** Parameter byte of `CODE.ints`: exponent k in the low four bits, then these. */
export const PARAM = {
  /** Deltas of deltas. */
  order2: 16,
  /** value = float32(m / 10^k) */
  float32: 32,
  /** value = m × 10^-k instead of m / 10^k: what "raw × 0.1" in floating point gives. */
  product: 64,
  /** m is the bit pattern of a 32-bit float, mapped so that order is kept. */
  bits32: 128,
} as const;

/** Time modes: first byte of the section. */
export const TIMES = {
  deltas: 0,
  table: 1,
  raw: 2,
  /** Since version 2: each series packed, mostly on a grid. */
  packed: 3,
  /** Since version 2: `table` with table and places packed. */
  packedTable: 4,
} as const;

/** How a packed number is foreseen, since version 2: what is written is the difference to that. */
export const FORESEEN = {
  /** Not at all. */
  level: 0,
  /** As the one before. */
  delta: 1,
  /** As far from the one before as that from its own. */
  delta2: 2,
  /** At the next place of a grid. */
  grid: 3,
} as const;
export type Foreseen = (typeof FORESEEN)[keyof typeof FORESEEN];

export const DIGIT_BASE_MAX = 256;
/** Bytes of a packed number below its digit. Four have a bit each in the head of the digits. */
export const LOW_BYTES_MAX = 6;
/** Step of a grid in fractions of a millisecond: a scan of 60 Hz is no whole number of them. */
export const STEP_FRACTION = 65_536;
/** Samples that share one offset to their grid. */
export const OFFSET_SAMPLES = 128;

/** Largest whole number coded as a delta: second differences, doubled, still fit 2^53. */
export const INT_MAX = 2 ** 50;
/** Range of a JavaScript Date. */
export const TIME_MS_MAX = 8.64e15;

/** Exact powers of ten and their nearest reciprocals. */
export const POW10 = new Float64Array(16).map((_, k) => Number(`1e${k}`));
export const POW10_INVERSE = new Float64Array(16).map((_, k) => Number(`1e-${k}`));
export const DECIMALS_MAX = 9;
export const DECIMALS_FLOAT32_MAX = 4;
