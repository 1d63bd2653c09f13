import { expect, test } from "bun:test";
import { mergeSamples, type SparkSample, sparkOf } from "./spark.ts";

const T = Date.UTC(2026, 10, 23, 10);
const at = (s: number, value: number | null, quality = "good"): SparkSample => ({
  time: new Date(T + s * 1_000).toISOString(),
  value,
  quality,
});
const seconds = (ms: number) => (ms - T) / 1_000;

test("a value holds until the next sample", () => {
  const spark = sparkOf([at(0, 1), at(10, 2)], [], T + 20_000, 30_000);
  expect(spark.lines.map((line) => line.map((point) => [seconds(point.timeMs), point.value]))).toEqual([
    [
      [0, 1],
      [10, 1],
      [10, 2],
      [20, 2],
    ],
  ]);
  expect([spark.low, spark.high]).toEqual([1, 2]);
});
test("no line over a missing heartbeat", () => {
  const spark = sparkOf([at(0, 1), at(100, 2)], [], T + 110_000, 30_000);
  expect(spark.lines.length).toBe(2);
  expect(spark.unknown.map((band) => [seconds(band.fromMs), seconds(band.toMs)])).toEqual([[30, 100]]);
});
test("no line over a known gap", () => {
  const gap = { from: at(5, 0).time, to: at(8, 0).time, cause: "overflow", samples: 3 };
  const spark = sparkOf([at(0, 1), at(8, 2)], [gap], T + 10_000, 30_000);
  expect(spark.lines.map((line) => seconds(line.at(-1)!.timeMs))).toEqual([5, 10]);
});
test("a bad sample ends the line and becomes a band", () => {
  const spark = sparkOf([at(0, 1), at(5, null, "bad.linkLost"), at(9, 3)], [], T + 10_000, 30_000);
  expect(spark.lines.length).toBe(2);
  expect(spark.bad.map((band) => [seconds(band.fromMs), seconds(band.toMs)])).toEqual([[5, 9]]);
});
test("an overlapping answer replaces what it covers", () => {
  const merged = mergeSamples([at(0, 1), at(5, 2), at(9, 3)], [at(5, 20), at(10, 4)], T + 1_000);
  expect(merged.map((sample) => sample.value)).toEqual([20, 4]);
});
