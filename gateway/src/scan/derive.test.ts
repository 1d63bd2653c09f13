import { expect, test } from "bun:test";
import { QUALITY, type Quality } from "@millrace/contract/vocabulary/quality";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { derivationOf, deriveQuality, deriveValue } from "./derive.ts";

interface Row {
  dataType: DataType;
  raw: TagValue;
  scale?: { factor: number; offset: number };
  range?: { low: number; high: number };
  value: TagValue;
  quality: Quality;
}
const rows: Row[] = [
  { dataType: "uint16", raw: 40, scale: { factor: 0.1, offset: -2 }, value: 2, quality: "good" },
  { dataType: "int64", raw: 2n ** 63n - 1n, value: 2n ** 63n - 1n, quality: "good" },
  { dataType: "uint64", raw: 7, value: 7n, quality: "good" },
  { dataType: "int64", raw: 1.5, value: null, quality: "bad.valueInvalid" },
  { dataType: "int64", raw: 10n, scale: { factor: 0.5, offset: 0 }, value: 5, quality: "good" },
  { dataType: "float32", raw: Number.NaN, value: Number.NaN, quality: "bad.notFinite" },
  { dataType: "float64", raw: -0, value: -0, quality: "good" },
  {
    dataType: "float64",
    raw: 101,
    range: { low: 0, high: 100 },
    value: 101,
    quality: "uncertain.outOfRange",
  },
  { dataType: "boolean", raw: true, scale: { factor: 2, offset: 0 }, value: true, quality: "good" },
  { dataType: "boolean", raw: 1, value: null, quality: "bad.valueInvalid" },
  { dataType: "text", raw: "x", value: "x", quality: "good" },
];
const named = rows.map((row, n): [string, () => Row] => [`${n}: ${row.dataType} ${row.raw}`, () => row]);
test.each(named)("%s", (_, row) => {
  const { dataType, raw, scale, range, value, quality } = row();
  const d = derivationOf({ dataType, ...(scale && { scale }), ...(range && { range }) });
  const derived = deriveValue(d, raw);
  expect(Object.is(derived, value)).toBe(true);
  expect(deriveQuality(d, derived, QUALITY.good)).toBe(QUALITY[quality]);
});

test("the driver's own bad quality wins", () => {
  const d = derivationOf({ dataType: "uint16" });
  expect(deriveQuality(d, null, QUALITY["bad.addressIllegal"])).toBe(QUALITY["bad.addressIllegal"]);
});
