import type { Series } from "../src/block/series.ts";
import type { Random } from "../src/std/clock.ts";
import { seededRandom } from "./random.ts";

/** Blocks that between them use every coding of the format; made from a seed, so they are the same in every run. */

const T0 = 1_767_225_600_000;

type Columns = Pick<Series, "kind" | "values">;

function seriesOf(tagNo: number, columns: Columns, over: Partial<Series> = {}): Series {
  const count = columns.values.length;
  return {
    tagNo,
    timesMs: Float64Array.from({ length: count }, (_, i) => T0 + i * 1000),
    quality: new Uint8Array(count),
    nulls: null,
    receivedMs: null,
    ...columns,
    ...over,
  } as Series;
}

const doublesOf = (count: number, at: (i: number) => number): Columns => ({
  kind: "double",
  values: Float64Array.from({ length: count }, (_, i) => at(i)),
});

/** One series for each way a value can be coded. */
export function everyCoding(random: Random = seededRandom(1)): Series[] {
  const digits = () => Math.round(random() * 1000);
  const jitter = Float64Array.from({ length: 12 }, (_, i) => T0 + i * 1000 + Math.floor(random() * 5));
  const texts = ["Running", "", "Störung 🌊", "Running"];
  return [
    seriesOf(
      1,
      doublesOf(12, () => digits() / 10),
      { timesMs: jitter },
    ),
    seriesOf(
      2,
      doublesOf(12, () => digits() * 0.1),
      { timesMs: jitter },
    ),
    seriesOf(
      3,
      doublesOf(12, () => Math.fround(digits() / 10)),
      { timesMs: jitter.slice(2, 14) },
    ),
    seriesOf(
      4,
      doublesOf(12, (i) => Math.fround(20 + i * 1e-4 * random())),
    ),
    seriesOf(
      5,
      doublesOf(12, () => Math.fround((random() - 0.5) * 10 ** (random() * 30))),
    ),
    seriesOf(
      6,
      doublesOf(12, () => random()),
    ),
    seriesOf(
      7,
      doublesOf(12, () => Number.NaN),
      { quality: new Uint8Array(12).fill(136) },
    ),
    seriesOf(
      8,
      doublesOf(12, (i) => 1_000_000 + i * 4711),
    ),
    seriesOf(
      9,
      doublesOf(6, (i) => [-0, 0, Infinity, -Infinity, 5e-324, Number.NaN][i]!),
    ),
    seriesOf(10, { kind: "int64", values: BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n) }),
    seriesOf(11, { kind: "int64", values: BigInt64Array.of(-5n, 1n << 40n, 7n) }),
    seriesOf(12, { kind: "uint64", values: BigUint64Array.of(2n ** 64n - 1n, 0n) }),
    seriesOf(13, { kind: "uint64", values: BigUint64Array.of(1n, 2n, 4n, 9n) }),
    seriesOf(14, { kind: "boolean", values: Uint8Array.from({ length: 40 }, () => Math.round(random())) }),
    seriesOf(15, { kind: "boolean", values: Uint8Array.from({ length: 40 }, (_, i) => (i < 25 ? 0 : 1)) }),
    seriesOf(
      16,
      { kind: "text", values: texts },
      { nulls: Uint8Array.of(0, 0, 1, 0), quality: Uint8Array.of(0, 0, 129, 0) },
    ),
    seriesOf(
      17,
      doublesOf(4, (i) => i / 4),
      { nulls: Uint8Array.of(1, 1, 1, 1), quality: new Uint8Array(4).fill(131) },
    ),
    seriesOf(
      18,
      doublesOf(3, (i) => i),
      { receivedMs: Float64Array.of(T0 + 3, T0 + 1004, T0 + 1999) },
    ),
    seriesOf(19, { kind: "text", values: ["Auto", "Auto", "Auto"] }),
    seriesOf(
      4_294_967_295,
      doublesOf(1, () => 42),
    ),
  ].map(trimTimes);
}

/** Gives each series as many times as values. */
function trimTimes(series: Series): Series {
  const count = series.values.length;
  if (series.timesMs.length === count) return series;
  const timesMs = new Float64Array(count).fill(T0);
  timesMs.set(series.timesMs.subarray(0, count));
  return { ...series, timesMs } as Series;
}

/** Many tags that report now and then: their times are drawn from one list. */
export function sharedTimes(): Series[] {
  const random = seededRandom(2);
  return Array.from({ length: 8 }, (_, s) => {
    const kept = Array.from({ length: 30 }, (_, i) => T0 + i * 997).filter(() => random() < 0.8);
    return seriesOf(
      100 + s * 3,
      doublesOf(kept.length, () => Math.round(random() * 50) / 10),
      {
        timesMs: Float64Array.from(kept),
      },
    );
  });
}

/** Times no difference can reach. */
export function farTimes(): Series[] {
  const timesMs = Float64Array.of(-8.64e15, 8.64e15, 0);
  const receivedMs = Float64Array.of(8.64e15, -8.64e15, 1);
  return [
    seriesOf(
      1,
      doublesOf(3, (i) => i),
      { timesMs, receivedMs },
    ),
  ];
}

export const EXAMPLE_BLOCKS = { everyCoding, sharedTimes, farTimes } satisfies Record<string, () => Series[]>;

/** Enough samples to be packed in each way: levels, deltas, second deltas, halves, planes, escapes, moved grids. */
export function packedNumbers(): Series[] {
  const random = seededRandom(3);
  const jitter = (timeOf: (i: number) => number) =>
    Float64Array.from({ length: 300 }, (_, i) => Math.floor(timeOf(i)) + Math.floor(random() * 5));
  const many = (at: (i: number) => number) => doublesOf(300, at);
  const timesMs = jitter((i) => T0 + i * 1000 + (i > 200 ? 431 : 0));
  let total = 0;
  return [
    seriesOf(
      1,
      many(() => Math.round(random() * 9) / 10),
      { timesMs, receivedMs: timesMs.map((time) => time + 3 + Math.floor(random() * 9)) },
    ),
    seriesOf(
      2,
      many((i) => (total += i === 100 ? 1e9 : Math.floor(random() * 10))),
      { timesMs },
    ),
    seriesOf(
      3,
      many((i) => i * i),
      { timesMs: jitter((i) => T0 + (i * 1000) / 60) },
    ),
    seriesOf(
      4,
      many(() => Math.fround(50 + random())),
      { timesMs: Float64Array.from({ length: 300 }, (_, i) => T0 + i * 7 + Math.floor(random() * 900)) },
    ),
    seriesOf(
      5,
      many((i) => (i % 50 === 7 ? -0 : random() - 0.5)),
      { timesMs: Float64Array.from({ length: 300 }, (_, i) => T0 + i * i * 40) },
    ),
    seriesOf(
      6,
      { kind: "uint64", values: BigUint64Array.from({ length: 300 }, (_, i) => 2n ** 63n + BigInt(i) ** 7n) },
      { timesMs: timesMs.slice().reverse() },
    ),
    seriesOf(7, { kind: "int64", values: BigInt64Array.from({ length: 300 }, (_, i) => BigInt(i) ** 4n) }),
  ];
}

/** A chunk of the historian, long enough for noise and times to be parts of their own. */
export function chunk(): Series[] {
  const random = seededRandom(4);
  const count = 7_000;
  const timesMs = Float64Array.from({ length: count }, (_, i) => T0 + i * 1000 + Math.floor(random() * 5));
  return [
    seriesOf(
      9,
      doublesOf(count, () => Math.fround(50 + random())),
      { timesMs },
    ),
  ];
}

/** Times the historian may see too: several tags with the times of some. */
export function packedTable(): Series[] {
  const random = seededRandom(5);
  const all = Array.from({ length: 400 }, (_, i) => T0 + i * 997 + Math.floor(random() * 400));
  return Array.from({ length: 6 }, (_, s) => {
    const kept = all.filter(() => random() < 0.8);
    return seriesOf(
      10 + s,
      doublesOf(kept.length, () => Math.round(random() * 5) / 10),
      { timesMs: Float64Array.from(kept) },
    );
  });
}

export const EXAMPLE_BLOCKS_2 = {
  ...EXAMPLE_BLOCKS,
  packedNumbers,
  packedTable,
  chunk,
} satisfies Record<string, () => Series[]>;
