import fc from "fast-check";
import type { Series } from "../src/block/series.ts";

/** Arbitrary series for property tests of the block format: special numbers, every kind, times without order. */

const special = [
  0,
  -0,
  1,
  -1,
  0.1,
  0.30000000000000004,
  NaN,
  Infinity,
  -Infinity,
  5e-324,
  -2.2e-308,
  1.7e308,
].concat([
  2 ** 50,
  2 ** 50 + 1,
  -(2 ** 53),
  2 ** 53 - 1,
  Math.fround(0.1),
  Math.fround(3.4e38),
  1e-9,
  123456.789,
]);

const doubles = fc.oneof(
  fc.constantFrom(...special),
  fc.double(),
  fc.float(),
  fc.integer({ min: -100_000, max: 100_000 }).map((m) => m / 100),
  fc.integer({ min: -100_000, max: 100_000 }).map((m) => m * 0.1),
  fc.integer({ min: 0, max: 100_000 }).map((m) => Math.fround(m / 10)),
);
/** Series of one habit, so that each coding is met with many samples and not only the fall-back for mixtures. */
const doubleList = (count: number) =>
  fc.oneof(
    fc.array(doubles, { minLength: count, maxLength: count }),
    ...[
      fc.integer({ min: -1e6, max: 1e6 }).map((m) => m / 1000),
      fc.integer({ min: -1e6, max: 1e6 }).map((m) => m * 0.01),
      fc.integer({ min: -1e6, max: 1e6 }).map((m) => Math.fround(m / 100)),
      fc.float({ noNaN: true }),
      fc.double(),
      fc.constantFrom(0, -0),
      fc.constantFrom(NaN),
      fc.maxSafeInteger(),
    ].map((each) => fc.array(each, { minLength: count, maxLength: count })),
  );
const times = (count: number) =>
  fc.oneof(
    fc
      .tuple(fc.integer({ min: 0, max: 2e12 }), fc.integer({ min: 0, max: 5000 }))
      .map(([t0, step]) => Array.from({ length: count }, (_, i) => t0 + i * step)),
    fc.array(fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_020 }), {
      minLength: count,
      maxLength: count,
    }),
    fc.array(fc.integer({ min: -8.64e15, max: 8.64e15 }), { minLength: count, maxLength: count }),
  );
const bits = (count: number) =>
  fc.array(fc.integer({ min: 0, max: 1 }), { minLength: count, maxLength: count });
const text = fc.oneof(
  fc.constantFrom("", "Running", "Stopped", "\ufeffBOM", "\0", "Störung 🌊"),
  fc.string({ unit: "binary", maxLength: 20 }),
);

/** Values of any kind, or of one habit. */
export const anyValues = (count: number): fc.Arbitrary<Pick<Series, "kind" | "values">> => {
  const many = { minLength: count, maxLength: count };
  return fc.oneof(
    doubleList(count).map((list) => ({ kind: "double" as const, values: Float64Array.from(list) })),
    fc
      .oneof(
        fc.array(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), many),
        fc.array(fc.bigInt(-9999n, 9999n), many),
      )
      .map((list) => ({ kind: "int64" as const, values: BigInt64Array.from(list) })),
    fc
      .oneof(fc.array(fc.bigInt(0n, 2n ** 64n - 1n), many), fc.array(fc.bigInt(0n, 2n ** 51n), many))
      .map((list) => ({
        kind: "uint64" as const,
        values: BigUint64Array.from(list),
      })),
    bits(count).map((list) => ({ kind: "boolean" as const, values: Uint8Array.from(list) })),
    fc.array(text, many).map((list) => ({ kind: "text" as const, values: list })),
  );
};

/** A series of any kind, values and times, without its tag. */
export const anySeries: fc.Arbitrary<Omit<Series, "tagNo">> = fc
  .oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 60 }))
  .chain((count) =>
    fc.record({
      value: anyValues(count),
      timesMs: times(count).map((list) => Float64Array.from(list)),
      quality: fc.oneof(
        fc.constantFrom(0, 64, 129).map((code) => new Uint8Array(count).fill(code)),
        fc
          .array(fc.integer({ min: 0, max: 255 }), { minLength: count, maxLength: count })
          .map((q) => Uint8Array.from(q)),
      ),
      nulls: fc.option(
        bits(count).map((list) => Uint8Array.from(list)),
        { freq: 2 },
      ),
      receivedMs: fc.option(
        times(count).map((list) => Float64Array.from(list)),
        { freq: 4 },
      ),
    }),
  )
  .map(({ value, ...rest }) => ({ ...rest, ...value }) as Omit<Series, "tagNo">);

/** A block of up to twelve series of any kind, half of them with the times of the first. */
export const anyBlock = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: 0xffff_ffff }), { minLength: 0, maxLength: 12 }),
    fc.array(anySeries, { maxLength: 12 }),
    fc.boolean(),
  )
  .map(([tagNos, parts, shared]) =>
    parts.slice(0, tagNos.length).map((part, i) => {
      const series = { ...part, tagNo: tagNos[i]! } as Series;
      const first = parts[0]!;
      // Scans share times: half of the blocks repeat those of the first series where the length allows.
      if (shared && first.timesMs.length === series.timesMs.length) series.timesMs = first.timesMs;
      return series;
    }),
  );
