import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { anyBlock, anyValues } from "../../test/arbitrary-blocks.ts";
import { seriesToJson } from "../../test/series-json.ts";
import { zstd } from "../../test/zstd.ts";
import { AppError } from "../error/app-error.ts";
import { LIMITS } from "../wire/limits.ts";
import { type Compression, noCompression } from "./compression.ts";
import { decodeBlock, decodeColumns } from "./decode.ts";
import { encodeBlock } from "./encode.ts";
import { BLOCK_HEADER_2_BYTES } from "./layout.ts";
import { readBlockHeader } from "./open.ts";
import type { Series } from "./series.ts";

const roundTrip = (series: Series[], compression: Compression): Series[] =>
  decodeBlock(encodeBlock(series, compression, { version: 2 }), compression);

function expectSame(given: Series[], compression: Compression): void {
  expect(roundTrip(given, compression).map(seriesToJson)).toEqual(given.map(seriesToJson));
}

const T0 = 1_767_225_600_000;

function seriesOf(timesMs: number[], columns: Pick<Series, "kind" | "values">, tagNo = 1): Series {
  const quality = new Uint8Array(timesMs.length);
  return {
    tagNo,
    timesMs: Float64Array.from(timesMs),
    quality,
    nulls: null,
    receivedMs: null,
    ...columns,
  } as Series;
}

const doubles = (values: number[]) => ({ kind: "double" as const, values: Float64Array.from(values) });
const onGrid = (count: number, stepMs: number, jitterMs: number) =>
  Array.from({ length: count }, (_, i) => Math.floor(T0 + i * stepMs + ((i * 7919) % 97) * (jitterMs / 97)));
const ramp = (count: number) => doubles(Array.from({ length: count }, (_, i) => i / 10));

/** What befalls a scan: jitter, late answers, holes, a clock that is set, two samples at once, one out of order. */
const scanTimes = (count: number): fc.Arbitrary<number[]> =>
  fc
    .record({
      firstMs: fc.oneof(fc.constant(T0), fc.integer({ min: -(2 ** 50), max: 2 ** 50 })),
      stepMs: fc.oneof(fc.constantFrom(1, 16.667, 100, 1000, 60_000), fc.double({ min: 0.01, max: 1e7 })),
      jitterMs: fc.constantFrom(0, 1, 4, 300, 5000),
      noise: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: count, maxLength: count }),
      events: fc.array(
        fc.tuple(
          fc.nat(count - 1),
          fc.constantFrom("late", "hole", "set", "twice", "swap", "back"),
          fc.integer({ min: -1e6, max: 1e9 }),
        ),
        { maxLength: 4 },
      ),
    })
    .map(({ firstMs, stepMs, jitterMs, noise, events }) => {
      const times = noise.map((r, i) => Math.floor(firstMs + i * stepMs + r * jitterMs));
      for (const [at, what, byMs] of events) {
        if (what === "late") times[at]! += byMs;
        else if (what === "hole") for (let i = at; i < count; i++) times[i]! += Math.abs(byMs);
        else if (what === "set") for (let i = at; i < count; i++) times[i]! += byMs % 10_000;
        else if (what === "twice") times[at] = times[Math.max(0, at - 1)]!;
        else if (what === "back") times[at] = times[0]!;
        else [times[at], times[0]] = [times[0]!, times[at]!];
      }
      return times.map((time) => Math.max(-8.64e15, Math.min(8.64e15, time)));
    });

describe("a block of version 2 gives back every bit", () => {
  for (const compression of [noCompression, zstd])
    test(`of any series, with ${compression.name}`, () => {
      fc.assert(
        fc.property(anyBlock, (given) => expectSame(given, compression)),
        { numRuns: 1500, seed: 20260202 },
      );
    });

  test("of scans with all that befalls them", () => {
    const scans = fc
      .oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 100, max: 700 }))
      .chain((count) => fc.tuple(anyValues(count), scanTimes(count), scanTimes(count), fc.boolean()))
      .map(([columns, times, received, hasReceived]) => [
        { ...seriesOf(times, columns), receivedMs: hasReceived ? Float64Array.from(received) : null },
        seriesOf(times, columns, 2),
        seriesOf([...times].reverse(), columns, 3),
      ]);
    fc.assert(
      fc.property(scans, (given) => expectSame(given as Series[], zstd)),
      { numRuns: 400, seed: 20260203 },
    );
  });

  test("of NaN with a payload, -0 and infinities among enough others to be packed", () => {
    const slots = BigUint64Array.from({ length: 64 }, (_, i) => BigInt(i) * 0x0123_4567_89ab_cdefn);
    const odd = [0x7ff8_0000_0000_0001n, 0xfff8_dead_beef_0000n, 1n << 63n, 0x7ff0n << 48n, 0xfff0n << 48n];
    slots.set(odd, 20);
    const nans = new Float64Array(slots.buffer);
    const nulls = Uint8Array.from(nans, (_, i) => (i % 5 === 0 ? 1 : 0));
    const one = seriesOf(onGrid(64, 1000, 4), { kind: "double", values: nans });
    expectSame([one, { ...one, tagNo: 2, nulls }], zstd);
  });

  test("of 64-bit integers at both ends", () => {
    const times = onGrid(40, 1000, 4);
    const signed = BigInt64Array.from({ length: 40 }, (_, i) => (i % 2 ? -(2n ** 63n) : 2n ** 63n - 1n));
    const unsigned = BigUint64Array.from({ length: 40 }, (_, i) => (i % 2 ? 2n ** 64n - 1n : BigInt(i)));
    const given = [
      seriesOf(times, { kind: "int64", values: signed }),
      seriesOf(times, { kind: "uint64", values: unsigned }, 2),
    ];
    expectSame(given, zstd);
  });

  test("of times at the ends of their reach, where differences no longer fit", () => {
    const far = Array.from({ length: 30 }, (_, i) => (i % 2 ? 2 ** 50 : -(2 ** 50)));
    expectSame([seriesOf(far, ramp(30))], noCompression);
    const raw = Array.from({ length: 30 }, (_, i) => (i % 2 ? 8.64e15 : -8.64e15));
    expectSame([seriesOf(raw, ramp(30))], noCompression);
    // A grid on the samples the estimate looks at, and far off it between them.
    const hidden = onGrid(20_000, 1000, 4);
    hidden[3001] = -(2 ** 50);
    hidden[3002] = 2 ** 50;
    expectSame([seriesOf(hidden, ramp(20_000))], noCompression);
  });

  test("of noise in times, times of receipt and values, all kept apart from what shrinks", () => {
    let state = 1;
    const noise = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return Math.floor((state / 0x8000_0000) * below);
    };
    const list = (next: (i: number) => number) => Array.from({ length: 3000 }, (_, i) => next(i));
    const given = [1, 2].map((tagNo) => ({
      ...seriesOf(
        list((i) => T0 + i * 1e6 + noise(3e5)),
        doubles(list(() => noise(2 ** 31) / 2 ** 31 - 0.5)),
        tagNo,
      ),
      receivedMs: Float64Array.from(list((i) => T0 + i * 1e6 + noise(9e5))),
    })) as Series[];
    expect(
      readBlockHeader(encodeBlock(given, zstd, { version: 2 })).plainBytes / 6000,
    ).toBeGreaterThanOrEqual(4);
    expectSame(given, zstd);
  });

  test("of the largest series and of none", () => {
    const count = LIMITS.blockSamplesMax;
    for (const at of [(i: number) => Math.sin(i), (i: number) => Math.fround(Math.sin(i)), Math.sqrt]) {
      const values = Float64Array.from({ length: count }, (_, i) => at(i));
      const given = seriesOf(onGrid(count, 16.667, 9), { kind: "double", values });
      const [got] = roundTrip([given], zstd);
      expect(got!.values).toEqual(given.values);
      expect(got!.timesMs).toEqual(given.timesMs);
    }
    expect(roundTrip([], zstd)).toEqual([]);
  });
});

describe("what a block of version 2 costs", () => {
  const count = 16_384;
  const random = (() => {
    let state = 7;
    return () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return (state >>> 8) / 0x80_0000;
    };
  })();
  const jittered = (timeOf: (i: number) => number) =>
    Array.from({ length: count }, (_, i) => Math.floor(timeOf(i)) + Math.floor(random() * 5));
  const bytesEach = (...given: Series[]) =>
    encodeBlock(given, zstd, { version: 2 }).length / given.reduce((n, one) => n + one.timesMs.length, 0);
  const still = { kind: "boolean" as const, values: new Uint8Array(count) };

  test.each<[string, number, (i: number) => number]>([
    ["a scan", 0.31, (i) => T0 + i * 1000],
    [
      "a scan whose clock is set twice",
      0.34,
      (i) => T0 + i * 1000 + (i > 5000 ? 340 : 0) - (i > 9000 ? 80 : 0),
    ],
    ["a clock that is fast by 80 ppm", 0.34, (i) => T0 + i * 1000.08],
    ["60 Hz", 0.34, (i) => T0 + (i * 1000) / 60],
    ["a grid with holes", 0.32, (i) => T0 + (i + Math.floor(i / 100) * 37) * 1000],
  ])("%s costs its jitter of five values, 0.29 bytes: at most %d", (_, most, timeOf) => {
    expect(bytesEach(seriesOf(jittered(timeOf), still))).toBeLessThan(most);
  });

  test("series that share times write them once, grids of their own cost each its jitter", () => {
    const times = jittered((i) => T0 + i * 1000).slice(0, 2048);
    const part = { kind: "boolean" as const, values: new Uint8Array(2048) };
    const shared = Array.from({ length: 16 }, (_, s) => seriesOf(times, part, s + 1));
    expect(bytesEach(...shared)).toBeLessThan(0.03);
    const own = shared.map((_, s) =>
      seriesOf(jittered((i) => T0 + s * 61 + i * (500 + s)).slice(0, 2048), part, s + 1),
    );
    expect(bytesEach(...own)).toBeLessThan(0.32);
  });

  test("values near their entropy", () => {
    const times = onGrid(count, 1000, 0);
    const list = (next: () => number) => doubles(Array.from({ length: count }, next));
    let total = 0;
    const counter = list(() => (total += 30 + Math.floor(random() * 10)));
    expect(bytesEach(seriesOf(times, counter))).toBeLessThan(0.43);
    const noise = list(() => Math.fround(50 + (random() - 0.5)));
    expect(bytesEach(seriesOf(times, noise))).toBeLessThan(2.4);
  });

  test("it is never much larger than version 1", () => {
    fc.assert(
      fc.property(anyBlock, (given) => {
        const one = encodeBlock(given, zstd).length;
        expect(encodeBlock(given, zstd, { version: 2 }).length).toBeLessThan(
          one * 1.3 + 12 + given.length * 8,
        );
      }),
      { numRuns: 500, seed: 20260204 },
    );
  });
});

describe("the header of version 2", () => {
  const given = () => [seriesOf(onGrid(9000, 1000, 96), doubles(onGrid(9000, 1, 1).map(Math.sqrt)))];
  const codeOf = (edit: (view: DataView) => void): string => {
    const bytes = encodeBlock(given(), zstd, { version: 2 });
    edit(new DataView(bytes.buffer));
    try {
      decodeColumns(bytes, zstd);
    } catch (thrown) {
      return thrown instanceof AppError ? thrown.code : `uncoded: ${thrown}`;
    }
    return "no error";
  };

  test("names three parts, and is judged before anything is allocated", () => {
    const header = readBlockHeader(encodeBlock(given(), zstd, { version: 2 }));
    expect(header).toMatchObject({ version: 2, compression: "zstd" });
    expect(header.plainBytes).toBeGreaterThan(9000);
    expect(header.timesRawBytes).toBeGreaterThan(2048);
    for (const at of [8, 20, 24]) {
      expect(codeOf((view) => view.setUint32(at, 0xffff_ffff, true))).toBe("block.limit");
      expect(codeOf((view) => view.setUint32(at, 5, true))).toBe("block.garbled");
    }
    expect(codeOf((view) => view.setUint32(28, 0xffff_ffff, true))).toBe("block.garbled");
    expect(codeOf((view) => view.setUint8(3, 1))).toBe("block.garbled");
    expect(codeOf(() => undefined)).toBe("no error");
    expect(() =>
      decodeColumns(encodeBlock([], zstd, { version: 2 }).subarray(0, BLOCK_HEADER_2_BYTES - 1), zstd),
    ).toThrow(AppError);
  });
});
