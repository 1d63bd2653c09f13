import { expect, test } from "bun:test";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { BUILT_IN } from "./codec.ts";
import { variantOf } from "./encode.ts";

const raw = (builtIn: number, value: TagValue) =>
  variantOf({ builtIn, arrayType: 0 }, value, null).value as unknown;

test.each<[string, number, TagValue, unknown]>([
  ["a whole number at the end of its range", BUILT_IN.sbyte, -128, -128],
  ["64 bits as two halves", BUILT_IN.int64, -1n, [0xffff_ffff, 0xffff_ffff]],
  ["a small number into 64 bits", BUILT_IN.uint64, 7, [0, 7]],
  ["64 bits into a double that holds them", BUILT_IN.double, 2n ** 53n, 2 ** 53],
  ["a float's own number", BUILT_IN.float, Math.fround(0.1), Math.fround(0.1)],
  ["a text into a localized one", BUILT_IN.localizedText, "Mühle", { text: "Mühle" }],
  ["a time", BUILT_IN.dateTime, "2026-11-26T13:05:00Z", new Date(Date.UTC(2026, 10, 26, 13, 5))],
])("%s", (_, builtIn, value, expected) => {
  expect(raw(builtIn, value)).toEqual(expected);
});

test.each<[number, TagValue]>([
  [BUILT_IN.sbyte, 128],
  [BUILT_IN.uint16, -1],
  [BUILT_IN.int32, 1.5],
  [BUILT_IN.int32, "5"],
  [BUILT_IN.uint64, 2n ** 64n],
  [BUILT_IN.float, 0.1],
  [BUILT_IN.double, 2n ** 53n + 1n],
  [BUILT_IN.double, Number.NaN],
  [BUILT_IN.boolean, 1],
  [BUILT_IN.string, 5],
  [BUILT_IN.guid, "no guid"],
  [BUILT_IN.dateTime, "yesterday"],
  [BUILT_IN.xml, "<a/>"],
])("type %d is not written %p: it would be another value", (builtIn, value) => {
  expect(() => raw(builtIn, value)).toThrow(RangeError);
});

test("one element goes as an array or matrix of one; a whole array is never written", () => {
  const array = { builtIn: BUILT_IN.double, arrayType: 1 };
  expect(variantOf(array, 2, "3")).toEqual({ dataType: 11, arrayType: 1, value: [2] });
  expect(variantOf({ ...array, arrayType: 2 }, 2, "1,0")).toMatchObject({ dimensions: [1, 1], value: [2] });
  expect(() => variantOf(array, 2, null)).toThrow("name one element");
  expect(() => variantOf({ ...array, arrayType: 0 }, 2, "3")).toThrow("no array");
});
