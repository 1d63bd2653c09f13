import { describe, expect, test } from "bun:test";
import type { Series } from "@millrace/contract/block/series";
import { zstd } from "../../ingest/zstd.ts";
import { isSorted, mergeSeries } from "../compaction/merge.ts";
import { decodeTier, encodeTier } from "./block.ts";
import { combineTiers, concatTiers } from "./combine.ts";
import { tierOfSeries } from "./series.ts";
import type { TierColumns } from "./tier.ts";
import { weightedMean } from "./weighted.ts";

const base = (timesMs: number[], quality: number[] = timesMs.map(() => 0)) => ({
  tagNo: 7,
  timesMs: Float64Array.from(timesMs),
  quality: Uint8Array.from(quality),
  nulls: null,
  receivedMs: null,
});
const double = (timesMs: number[], values: number[], quality?: number[]): Series => ({
  ...base(timesMs, quality),
  kind: "double",
  values: Float64Array.from(values),
});
const MINUTE = 60_000;
/** Typed arrays are compared by their bytes, and a NaN has many. */
const plain = (tier: TierColumns) =>
  Object.fromEntries(
    Object.entries(tier).map(([name, column]) => [
      name,
      ArrayBuffer.isView(column) ? Array.from(column as never) : column,
    ]),
  );

describe("tierOfSeries", () => {
  test("counts by quality, and takes figures of usable samples alone", () => {
    const tier = tierOfSeries(
      [double([0, 1, 2, 3, 60_000, 180_000], [5, Number.NaN, 9, 2, 1, 4], [0, 0, 128, 64, 0, 200])],
      MINUTE,
    );
    expect([...tier.startMs]).toEqual([0, 60_000, 180_000]);
    expect([...tier.count]).toEqual([2, 1, 0]);
    expect([...tier.uncertain]).toEqual([1, 0, 0]);
    expect([...tier.bad]).toEqual([2, 0, 1]);
    expect([...tier.min]).toEqual([2, 1, Number.NaN]);
    expect([...tier.max]).toEqual([5, 1, Number.NaN]);
    expect([...tier.sum]).toEqual([7, 1, Number.NaN]);
    expect([...tier.first]).toEqual([5, 1, Number.NaN]);
    expect([...tier.last]).toEqual([2, 1, Number.NaN]);
    expect(tier.exact).toBeNull();
  });

  test("64-bit integers and text keep what a double cannot hold", () => {
    const whole: Series = { ...base([0, 1]), kind: "uint64", values: BigUint64Array.of(2n ** 64n - 1n, 3n) };
    expect(tierOfSeries([whole], MINUTE).exact).toEqual({
      min: [3n],
      max: [2n ** 64n - 1n],
      first: [2n ** 64n - 1n],
      last: [3n],
    });
    const text: Series = { ...base([0, 1, MINUTE], [0, 0, 128]), kind: "text", values: ["b", "a", "c"] };
    expect(tierOfSeries([text], MINUTE).exact).toEqual({
      min: null,
      max: null,
      first: ["b", null],
      last: ["a", null],
    });
  });

  test("a change of type inside a stretch goes by time", () => {
    const text: Series = { ...base([10, 30]), kind: "text", values: ["x", "y"] };
    const tier = tierOfSeries([double([20, 40], [1, 2]), text], MINUTE);
    expect([...tier.count]).toEqual([4]);
    expect([...tier.sum]).toEqual([3]);
    expect([...tier.first, ...tier.last]).toEqual([Number.NaN, 2]);
    expect(tier.exact).toEqual({ min: null, max: null, first: ["x"], last: [2] });
  });
});

describe("a coarser tier from a finer one", () => {
  const values = Array.from({ length: 500 }, (_, i) => Math.round(Math.sin(i) * 1_000));
  const times = values.map((_, i) => i * 7_001);
  const quality = values.map((_, i) => (i % 11 === 0 ? 130 : i % 7 === 0 ? 65 : 0));

  test("is the same as from the samples", () => {
    const series = double(times, values, quality);
    const minutes = tierOfSeries([series], MINUTE);
    expect(plain(combineTiers(minutes, 60 * MINUTE))).toEqual(plain(tierOfSeries([series], 60 * MINUTE)));
  });

  test("also for integers and for an origin that is no multiple", () => {
    const whole: Series = {
      ...base(times, quality),
      kind: "int64",
      values: BigInt64Array.from(values, (value) => BigInt(value) * 2n ** 40n + 1n),
    };
    const fine = tierOfSeries([whole], 1_000, 300);
    expect(plain(combineTiers(fine, 90_000, 300))).toEqual(plain(tierOfSeries([whole], 90_000, 300)));
  });

  test("integers that round to one double stay apart, in store and when added up", () => {
    const near = [2n ** 53n + 1n, 2n ** 53n, 2n ** 53n + 3n, 2n ** 53n + 2n, -(2n ** 63n), 2n ** 63n - 1n];
    const rest = [...near.slice(4), 2n ** 63n - 2n, 2n ** 62n + 255n, -1n, 2n ** 63n - 3n];
    for (const whole of [near.slice(0, 4), near.slice(0, 4).reverse(), near, rest, rest.reverse()]) {
      const series: Series = {
        ...base(whole.map((_, i) => i * MINUTE)),
        kind: "int64",
        values: BigInt64Array.from(whole),
      };
      const stored = decodeTier(encodeTier(tierOfSeries([series], MINUTE), zstd), zstd);
      expect([...stored.min]).toEqual(whole.map(Number));
      const { exact, ...rounded } = combineTiers(stored, 60 * MINUTE);
      const sorted = [...whole].sort((a, b) => (a < b ? -1 : 1));
      expect(exact).toEqual({
        min: [sorted[0]!],
        max: [sorted.at(-1)!],
        first: [whole[0]!],
        last: [whole.at(-1)!],
      });
      expect([...rounded.max]).toEqual([Number(sorted.at(-1))]);
    }
  });

  test("what is coarse already stays as it is; parts of one stretch are put together", () => {
    const hours = tierOfSeries([double(times, values, quality)], 60 * MINUTE);
    expect(combineTiers(hours, 60 * MINUTE)).toBe(hours);
    const halves = [hours, tierOfSeries([double([3_599_000], [5_000])], 60 * MINUTE)];
    expect(combineTiers(concatTiers([...halves]), 60 * MINUTE).max[0]).toBe(5_000);
  });

  test("parts are put behind each other", () => {
    const whole = tierOfSeries([double(times, values, quality)], MINUTE);
    const parts = [times.slice(0, 60), times.slice(60)].map((some, p) => {
      const from = p * 60;
      const to = from + some.length;
      return tierOfSeries([double(some, values.slice(from, to), quality.slice(from, to))], 7_001);
    });
    const all = tierOfSeries([double(times, values, quality)], 7_001);
    expect(plain(concatTiers(parts))).toEqual(plain(all));
    expect(whole.length).toBeLessThan(all.length);
  });
});

describe("a stored tier", () => {
  const round = (tier: ReturnType<typeof tierOfSeries>) => decodeTier(encodeTier(tier, zstd), zstd);

  test("comes back, with stretches that have no usable sample", () => {
    const tier = tierOfSeries([double([0, 60_000, 120_000], [-0, 5.5, 1e300], [0, 128, 64])], MINUTE);
    expect(plain(round(tier))).toEqual(plain(tier));
    const bad = tierOfSeries([double([0, 60_000], [1, 2], [128, 129])], MINUTE);
    expect(plain(round(bad))).toEqual(plain(bad));
  });

  test("comes back for every kind and a mixture", () => {
    const whole: Series = {
      ...base([0, 70_000], [0, 0]),
      kind: "uint64",
      values: BigUint64Array.of(2n ** 64n - 1n, 3n),
    };
    const text: Series = { ...base([1, 200_000]), kind: "text", values: ["", "ü"] };
    const flag: Series = { ...base([3, 80_000]), kind: "boolean", values: Uint8Array.of(1, 0) };
    for (const series of [[whole], [text], [flag], [whole, text], [double([2], [1.5]), whole, text, flag]]) {
      const tier = tierOfSeries(series, MINUTE);
      expect(plain(round(tier))).toEqual(plain(tier));
    }
  });
});

describe("mergeSeries", () => {
  test("orders by time; of equal times the first to arrive comes first; a NaN keeps its bits", () => {
    const odd = new Float64Array(new BigUint64Array([0x7ff8_0000_0000_1234n]).buffer);
    const parts: Series[] = [
      double([5, 9, 9], [1, 2, 3]),
      { ...base([9]), kind: "double", values: odd },
      { ...double([1, 5], [5, 6]), receivedMs: Float64Array.of(2, 8), nulls: Uint8Array.of(0, 1) },
    ];
    const merged = mergeSeries(parts);
    expect([...merged.timesMs]).toEqual([1, 5, 5, 9, 9, 9]);
    expect([...(merged.values as Float64Array)]).toEqual([5, 1, 6, 2, 3, Number.NaN]);
    expect([...merged.nulls!]).toEqual([0, 0, 1, 0, 0, 0]);
    expect([...merged.receivedMs!]).toEqual([2, 5, 8, 9, 9, 9]);
    expect(new BigUint64Array((merged.values as Float64Array).buffer)[5]).toBe(0x7ff8_0000_0000_1234n);
  });

  test("gives the same as a stable sort, however many runs there are", () => {
    const times = Array.from({ length: 1_000 }, (_, i) => (i * 7_919) % 101);
    const merged = mergeSeries([
      double(
        times,
        times.map((_, i) => i),
      ),
    ]);
    const expected = times.map((time, i) => [time, i] as const).sort((a, b) => a[0] - b[0]);
    expect([...(merged.values as Float64Array)]).toEqual(expected.map(([, i]) => i));
    expect(isSorted(merged.timesMs)).toBe(true);
  });
});

test("a value weighs as long as it stood; nothing is known behind a bad sample", () => {
  const series = double([0, 10, 30, 60], [1, 3, 100, 5], [0, 0, 128, 0]);
  expect(weightedMean([series], 0, 100)).toBe((1 * 10 + 3 * 20 + 5 * 40) / 70);
  expect(weightedMean([double([5], [1], [128])], 0, 100)).toBeNull();
});
