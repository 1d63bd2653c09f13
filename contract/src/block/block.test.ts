import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { anyBlock } from "../../test/arbitrary-blocks.ts";
import { seriesToJson } from "../../test/series-json.ts";
import { zstd } from "../../test/zstd.ts";
import { AppError } from "../error/app-error.ts";
import { LIMITS } from "../wire/limits.ts";
import { allocateColumns, putSeries } from "./columns.ts";
import { type Compression, noCompression } from "./compression.ts";
import { decodeBlock, decodeColumns } from "./decode.ts";
import { encodeBlock, encodeColumns } from "./encode.ts";
import { readBlockHeader } from "./open.ts";
import type { Series } from "./series.ts";

const roundTrip = (series: Series[], compression: Compression): Series[] =>
  decodeBlock(encodeBlock(series, compression), compression);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    return thrown instanceof AppError ? thrown.code : `uncoded: ${thrown}`;
  }
  return "no error";
}

function series(over: Partial<Series> = {}): Series {
  return {
    tagNo: 1,
    kind: "double",
    timesMs: Float64Array.of(1000, 2000),
    values: Float64Array.of(1.5, 2.5),
    quality: new Uint8Array(2),
    nulls: null,
    receivedMs: null,
    ...over,
  } as Series;
}

describe("a block gives back every bit", () => {
  for (const compression of [noCompression, zstd])
    test(`of any series, with ${compression.name}`, () => {
      fc.assert(
        fc.property(anyBlock, (given) => {
          expect(roundTrip(given, compression).map(seriesToJson)).toEqual(given.map(seriesToJson));
        }),
        { numRuns: 1500, seed: 20260101 },
      );
    });

  test("of NaN with a payload, alone, among others, constant and beside nulls", () => {
    const slots = BigUint64Array.of(0x7ff8_0000_0000_0001n, 0xfff8_dead_beef_0000n, 0x7ff0_0000_0000_0001n);
    for (const list of [slots, slots.subarray(0, 1), new BigUint64Array(5).fill(0xfff8_dead_beef_0000n)]) {
      const count = list.length;
      const base = { timesMs: new Float64Array(count), quality: new Uint8Array(count) };
      const nans = new Float64Array(list.slice().buffer);
      const nulls = Uint8Array.from({ length: count }, (_, i) => i & 1);
      const given = [series({ ...base, values: nans }), series({ ...base, tagNo: 2, values: nans, nulls })];
      expect(roundTrip(given, zstd).map(seriesToJson)).toEqual(given.map(seriesToJson));
    }
  });

  test("of a long series of every habit, at the largest size", () => {
    const count = LIMITS.blockSamplesMax;
    for (const at of [
      (i: number) => i / 10,
      (i: number) => Math.sin(i),
      (i: number) => Math.fround(Math.sin(i)),
    ]) {
      const given = series({
        timesMs: Float64Array.from({ length: count }, (_, i) => 1.7e12 + i * 100 + (i % 4)),
        values: Float64Array.from({ length: count }, (_, i) => at(i)),
        quality: Uint8Array.from({ length: count }, (_, i) => (i % 1000 === 0 ? 64 : 0)),
      });
      const [got] = roundTrip([given], noCompression);
      expect(got!.values).toEqual(given.values);
      expect(got!.timesMs).toEqual(given.timesMs);
      expect(got!.quality).toEqual(given.quality);
    }
  });

  test("of columns that carry nulls and times of receipt which none of their series uses", () => {
    for (const version of [1, 2] as const) {
      const columns = allocateColumns(1, 2);
      columns.starts[1] = 2;
      putSeries(columns, 0, series());
      columns.nulls = new Uint8Array(2);
      columns.receivedMs = new Float64Array(2);
      const back = decodeBlock(encodeColumns(columns, zstd, { version }), zstd);
      expect(back.map(seriesToJson)).toEqual([seriesToJson(series())]);
    }
  });

  test("of none at all", () => {
    expect(roundTrip([], noCompression)).toEqual([]);
  });
});

describe("what a block costs", () => {
  const at = (count: number, value: (i: number) => number): Series =>
    series({
      timesMs: Float64Array.from({ length: count }, (_, i) => 1.7e12 + i * 1000),
      values: Float64Array.from({ length: count }, (_, i) => value(i)),
      quality: new Uint8Array(count),
    });
  const bytesEach = (given: Series): number => encodeBlock([given], noCompression).length / 1000;

  test("a byte for time and at most two for a value of few digits, however it was computed", () => {
    expect(bytesEach(at(1000, (i) => Math.round(500 + 30 * Math.sin(i)) / 10))).toBeLessThan(3.1);
    expect(bytesEach(at(1000, (i) => Math.round(500 + 30 * Math.sin(i)) * 0.1))).toBeLessThan(3.1);
    expect(bytesEach(at(1000, (i) => Math.fround(Math.round(500 + 30 * Math.sin(i)) / 10)))).toBeLessThan(
      3.1,
    );
    expect(bytesEach(at(1000, (i) => i * 37))).toBeLessThan(2.1);
    expect(bytesEach(at(1000, () => 12.25))).toBeLessThan(1.1);
  });

  test("times that many series share are written once", () => {
    const one = at(1000, (i) => i);
    const irregular = Float64Array.from({ length: 1000 }, (_, i) => i * 997 + ((i * i) % 7) * 1000);
    const many = Array.from({ length: 20 }, (_, s) => {
      // Each leaves out one sample in ten, as a deadband does: the times are similar, not equal.
      const kept = irregular.filter((_, i) => (i + s) % 10 !== 0);
      return {
        ...one,
        tagNo: s + 1,
        timesMs: kept,
        values: new Float64Array(900),
        quality: new Uint8Array(900),
      } as Series;
    });
    expect(encodeBlock(many, zstd).length).toBeLessThan(20 * 900 * 0.3);
  });
});

describe("what has no exact form is refused when written", () => {
  const cases: [string, () => Series[], string][] = [
    ["half a surrogate pair", () => [series({ kind: "text", values: ["a\ud800", ""] })], "block.invalid"],
    ["a text too long", () => [series({ kind: "text", values: ["x".repeat(4097), ""] })], "block.limit"],
    [
      "a text too long in UTF-8",
      () => [series({ kind: "text", values: ["ä".repeat(2049), ""] })],
      "block.limit",
    ],
    ["a fraction of a ms", () => [series({ timesMs: Float64Array.of(1.5, 2) })], "block.invalid"],
    ["a time that is NaN", () => [series({ timesMs: Float64Array.of(NaN, 2) })], "block.invalid"],
    ["a time out of range", () => [series({ timesMs: Float64Array.of(8.64e15 + 2, 2) })], "block.invalid"],
    ["a receipt out of range", () => [series({ receivedMs: Float64Array.of(1, Infinity) })], "block.invalid"],
    ["an empty series", () => [series({ timesMs: new Float64Array(0) })], "block.invalid"],
    ["unequal columns", () => [series({ quality: new Uint8Array(3) })], "block.invalid"],
    ["tag number 0", () => [series({ tagNo: 0 })], "block.invalid"],
    ["one tag twice", () => [series(), series({ tagNo: 2 }), series()], "block.invalid"],
    [
      "too many samples",
      () => [
        series({
          timesMs: new Float64Array(65_537),
          values: new Float64Array(65_537),
          quality: new Uint8Array(65_537),
        }),
      ],
      "block.limit",
    ],
  ];
  test.each(cases)("%s", (_, make, code) => {
    expect(codeOf(() => encodeBlock(make(), noCompression))).toBe(code);
  });

  test("but one tag may have two kinds, since its type may change between two samples", () => {
    const given = [series(), series({ kind: "boolean", values: Uint8Array.of(1, 0) })];
    expect(roundTrip(given, noCompression).map(seriesToJson)).toEqual(given.map(seriesToJson));
  });
});

describe("a header is judged before anything is allocated", () => {
  const edited = (edit: (view: DataView) => void): Uint8Array => {
    const bytes = encodeBlock([series()], noCompression);
    edit(new DataView(bytes.buffer));
    return bytes;
  };
  const decode = (bytes: Uint8Array, compression = zstd) => codeOf(() => decodeColumns(bytes, compression));

  test("limits, versions, magic", () => {
    expect(decode(edited((view) => view.setUint32(8, LIMITS.blockRawBytesMax + 1, true)))).toBe(
      "block.limit",
    );
    expect(decode(edited((view) => view.setUint32(12, 0xffff_ffff, true)))).toBe("block.limit");
    expect(decode(edited((view) => view.setUint32(16, 0xffff_ffff, true)))).toBe("block.limit");
    expect(decode(edited((view) => view.setUint32(12, 65_000, true)))).toBe("block.garbled");
    expect(decode(edited((view) => view.setUint8(3, 3)))).toBe("block.version");
    expect(decode(edited((view) => view.setUint8(4, 9)))).toBe("block.version");
    expect(decode(edited((view) => view.setUint8(0, 0)))).toBe("block.garbled");
    expect(decode(new Uint8Array(19))).toBe("block.garbled");
  });

  test("a compression this program lacks", () => {
    const count = 500;
    const long = series({
      timesMs: new Float64Array(count),
      values: new Float64Array(count),
      quality: new Uint8Array(count).map((_, i) => i & 1),
    });
    const bytes = encodeBlock([long], zstd);
    expect(readBlockHeader(bytes).compression).toBe("zstd");
    expect(decode(bytes, noCompression)).toBe("block.version");
  });

  test("a small body that would become large is refused by the announced size", () => {
    const bomb = Bun.zstdCompressSync(new Uint8Array(64 * 1024 * 1024));
    const bytes = new Uint8Array(20 + bomb.length);
    bytes.set(edited((view) => view.setUint8(4, 1)).subarray(0, 20));
    bytes.set(bomb, 20);
    expect(decode(bytes)).toBe("block.garbled");
  });
});
