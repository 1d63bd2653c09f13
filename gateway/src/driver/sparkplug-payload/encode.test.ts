import { describe, expect, test } from "bun:test";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import fc from "fast-check";
import { get } from "sparkplug-payload";
import { encodePayload } from "./encode.ts";
import { decodePayload, TYPE } from "./payload.ts";
import { metricValue } from "./value.ts";

/** Read by Eclipse Tahu's own decoder, and by ours. */
const tahu = get("spBv1.0")!;
const NOW = Date.UTC(2026, 10, 26, 12);

const told = (type: number, value: TagValue) =>
  encodePayload({ timeMs: NOW, seq: 7, metrics: [{ name: "m", alias: 3, timeMs: NOW, type, value }] });
interface Read {
  value: unknown;
  type: string;
  name: string;
  isNull?: boolean;
}
const readByTahu = (bytes: Uint8Array): Read =>
  (tahu.decodePayload(bytes) as unknown as { metrics: Read[] }).metrics[0]!;
const exactly = (value: unknown): unknown =>
  typeof value === "object" && value !== null ? BigInt(String(value)) : value;

const whole = (min: number, max: number) => fc.integer({ min, max });
const long = (min: bigint, max: bigint) => fc.bigInt({ min, max });

describe("SP26: every data type arrives exactly", () => {
  test.each<[string, number, fc.Arbitrary<TagValue>]>([
    ["Int8", TYPE.int8, whole(-0x80, 0x7f)],
    ["Int16", TYPE.int16, whole(-0x8000, 0x7fff)],
    ["Int32", TYPE.int32, whole(-0x8000_0000, 0x7fff_ffff)],
    ["UInt8", TYPE.uint8, whole(0, 0xff)],
    ["UInt16", TYPE.uint16, whole(0, 0xffff)],
    ["Int64", TYPE.int64, long(-(2n ** 63n), 2n ** 63n - 1n)],
    ["UInt64", TYPE.uint64, long(0n, 2n ** 64n - 1n)],
    ["Float", TYPE.float, fc.float({ noNaN: true })],
    ["Double", TYPE.double, fc.double({ noNaN: true })],
    ["Boolean", TYPE.boolean, fc.boolean()],
    ["String", TYPE.text, fc.string({ unit: "grapheme" })],
  ])("%s", (name, type, values) => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = told(type, value);
        const read = readByTahu(bytes);
        expect(read).toMatchObject({ name: "m", type: name });
        const found = exactly(read.value);
        expect(Object.is(typeof value === "bigint" ? BigInt(found as bigint) : found, value)).toBe(true);
        const [metric] = decodePayload(bytes).metrics;
        expect(metric).toMatchObject({ name: "m", alias: 3n, timeMs: NOW, type });
      }),
      { numRuns: 200 },
    );
  });
});

test("SP27: a value that is none of its type is told as null, and never cut to fit", () => {
  for (const [type, value] of [
    [TYPE.int8, 128],
    [TYPE.uint16, -1],
    [TYPE.int32, 1.5],
    [TYPE.int64, 2n ** 63n],
    [TYPE.uint64, -1n],
    [TYPE.boolean, 1],
    [TYPE.text, 1],
    [TYPE.double, "1"],
    [TYPE.uint32, 1],
  ] as const) {
    const bytes = told(type, value);
    expect(readByTahu(bytes).value).toBeNull();
    const metric = decodePayload(bytes).metrics[0]!;
    expect(metric.isNull).toBe(true);
    expect(metric.raw).toBeNull();
    expect(metricValue(metric, type, "float64").value).toBeNull();
  }
});

test("SP28: a property set has as many values as keys, each with its type; Quality is an Int32", () => {
  const bytes = encodePayload({
    timeMs: NOW,
    seq: 0,
    metrics: [{ alias: 1, timeMs: NOW, type: TYPE.double, value: 1, quality: 500, reason: "bad.linkLost" }],
  });
  const { properties } = readByTahu(bytes) as unknown as { properties: object };
  expect(properties).toEqual({
    Quality: { type: "Int32", value: 500 },
    Reason: { type: "String", value: "bad.linkLost" },
  });
});

test("a payload of any size is written: 20,000 metrics with long names", () => {
  const metrics = Array.from({ length: 20_000 }, (_, index) => ({
    name: `${"x".repeat(150)} ${index}`,
    alias: index,
    timeMs: NOW,
    type: TYPE.double,
    value: index,
  }));
  const read = decodePayload(encodePayload({ timeMs: NOW, seq: 255, metrics }));
  expect([read.metrics.length, read.seq, read.timeMs]).toEqual([20_000, 255, NOW]);
  expect(read.metrics.at(-1)).toMatchObject({ alias: 19_999n, name: metrics.at(-1)!.name });
});
