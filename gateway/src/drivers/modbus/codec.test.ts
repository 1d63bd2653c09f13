import { expect, test } from "bun:test";
import { parseAddress } from "@millrace/contract/driver/modbus/address";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { DataType } from "@millrace/contract/vocabulary/value";
import { decoderOf } from "./codec.ts";
import { modbus } from "./index.ts";

const settings = decodeSettings(modbus, { host: "plc" });
const read = (text: string, type: DataType, hex: string) =>
  decoderOf(parseAddress(text, type, settings))(Buffer.from(hex, "hex"), 0);

const WIDE: [string, DataType, string, unknown][] = [
  ["ABCD", "float32", "42f6e979", 123.45600128173828],
  ["CDAB", "float32", "e97942f6", 123.45600128173828],
  ["BADC", "float32", "f64279e9", 123.45600128173828],
  ["DCBA", "float32", "79e9f642", 123.45600128173828],
  ["ABCD", "int32", "fffe1dc0", -123_456],
  ["CDAB", "int32", "1dc0fffe", -123_456],
  ["BADC", "int32", "feffc01d", -123_456],
  ["DCBA", "int32", "c01dfeff", -123_456],
  ["ABCD", "uint32", "80000001", 2_147_483_649],
  ["CDAB", "uint32", "00018000", 2_147_483_649],
  ["BADC", "uint32", "00800100", 2_147_483_649],
  ["DCBA", "uint32", "01000080", 2_147_483_649],
  ["ABCDEFGH", "uint64", "0123456789abcdef", 0x0123456789abcdefn],
  ["GHEFCDAB", "uint64", "cdef89ab45670123", 0x0123456789abcdefn],
  ["BADCFEHG", "uint64", "23016745ab89efcd", 0x0123456789abcdefn],
  ["HGFEDCBA", "uint64", "efcdab8967452301", 0x0123456789abcdefn],
  ["ABCDEFGH", "int64", "fffffffffffffffe", -2n],
  ["GHEFCDAB", "int64", "fffeffffffffffff", -2n],
  ["BADCFEHG", "int64", "fffffffffffffeff", -2n],
  ["HGFEDCBA", "int64", "feffffffffffffff", -2n],
  ["ABCDEFGH", "float64", "400921fb54442d18", Math.PI],
  ["GHEFCDAB", "float64", "2d18544421fb4009", Math.PI],
  ["BADCFEHG", "float64", "0940fb214454182d", Math.PI],
  ["HGFEDCBA", "float64", "182d4454fb210940", Math.PI],
];
for (const [order, type, hex, value] of WIDE) {
  test(`5a.10 ${type} in order ${order}`, () => {
    expect(read(`holding:0 order=${order}`, type, hex)).toBe(value as never);
  });
}

const TEXTS: [string, string][] = [
  ["high-low", "4d696c6c20200000"],
  ["low-high", "694d6c6c20200000"],
  ["high", "4d0069006c006c0020002000"],
  ["low", "004d0069006c006c00200020"],
];
for (const [layout, hex] of TEXTS) {
  test(`5a.10 text in layout ${layout}, without its padding`, () => {
    expect(read(`holding:0 length=6 layout=${layout}`, "text", hex)).toBe("Mill");
  });
}

test("5a.10 narrow values and bits follow the byte order", () => {
  expect(read("holding:0", "int16", "8001")).toBe(-32_767);
  expect(read("holding:0 order=BA", "uint16", "0180")).toBe(32_769);
  expect(read("holding:0 byte=high", "int8", "8001")).toBe(-128);
  expect(read("holding:0 byte=high order=BA", "uint8", "0180")).toBe(128);
  expect(read("holding:0.15", "boolean", "8000")).toBe(true);
  expect(read("holding:0.15 order=BA", "boolean", "0080")).toBe(true);
  expect(read("holding:0.0", "boolean", "fffe")).toBe(false);
});
