import { expect, test } from "bun:test";
import { parseAddress } from "@millrace/contract/driver/s7/address";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import fc from "fast-check";
import { decoderOf, encode } from "./codec.ts";
import { s7 } from "./index.ts";

const settings = decodeSettings(s7, { host: "plc" });
const address = (text: string, dataType: DataType) => parseAddress(text, dataType, settings);
const decode = (text: string, dataType: DataType, hex: string): TagValue | undefined => {
  const bytes = Buffer.from(hex, "hex");
  return decoderOf(address(text, dataType))(bytes, 0, bytes.length);
};

const READ: [text: string, dataType: DataType, hex: string, value: TagValue | undefined][] = [
  ["DB1.STRING0.4", "text", "04044d696c6c", "Mill"],
  ["DB1.STRING0.4", "text", "0402 4d69ffff".replace(" ", ""), "Mi"],
  // Never written: no greatest length and no characters.
  ["DB1.STRING0.4", "text", "000000000000", ""],
  // A length beyond the declaration means that something else lies here.
  ["DB1.STRING0.4", "text", "08064d696c6c", undefined],
  ["DB1.STRING0.4", "text", "02034d696c6c", undefined],
  ["DB1.WSTRING0.2", "text", "0002000203a920ac", "Ω€"],
  ["DB1.WSTRING0.2", "text", "0002000303a920ac", undefined],
  ["DB1.CHAR0.6", "text", "4d696c6c0041", "Mill"],
  ["DB1.CHAR0.6", "text", "4d696c6c2020", "Mill"],
  ["DB1.S5TIME0", "uint32", "0999", 9_990],
  ["DB1.S5TIME0", "uint32", "3999", 9_990_000],
  ["DB1.S5TIME0", "uint32", "0a00", undefined],
  ["DB1.TIME0", "int32", "ffffff9c", -100],
  ["DB1.LTIME0", "int64", "ffffffffffffffff", -1n],
  ["DB1.DATE0", "text", "0000", "1990-01-01"],
  ["DB1.DATE0", "uint16", "3507", 13_575],
  ["DB1.TOD0", "text", "02f4a0e0", "13:46:26.4"],
  ["DB1.TOD0", "uint32", "05265c00", undefined],
  ["DB1.DT0", "text", "2402291200001231", "2024-02-29T12:00:00.123"],
  ["DB1.DT0", "int64", "9001010000000002", 631_152_000_000n],
  ["DB1.DT0", "text", "2302291200000001", undefined],
  ["DB1.DTL0", "text", "07b201010500000000000000", "1970-01-01T00:00:00"],
  ["DB1.DTL0", "int64", "07b201010500000000000001", 1n],
  ["DB1.DTL0", "text", "000000000000000000000000", undefined],
  ["DB1.DTL0", "text", "07ea0d010500000000000000", undefined],
  ["DB1.LDT0", "text", "0000000000000001", "1970-01-01T00:00:00.000000001"],
  ["DB1.LTOD0", "uint64", "00004e94914f0000", undefined],
  ["T1", "uint32", "1005", 500],
  ["C1", "uint16", "0123", 123],
];
test.each(READ)("%s as %s of %s is %p", (text, dataType, hex, value) => {
  expect(decode(text, dataType, hex)).toEqual(value as never);
});

const REFUSED: [text: string, dataType: DataType, value: TagValue][] = [
  ["DB1.DBX0.0", "boolean", 1],
  ["DB1.INT0", "int16", 32_768],
  ["DB1.INT0", "int16", 1.5],
  ["DB1.USINT0", "uint8", -1],
  ["DB1.ULINT0", "uint64", -1n],
  ["DB1.STRING0.4", "text", "Mills"],
  ["DB1.STRING0.4", "text", "€"],
  ["DB1.S5TIME0", "uint32", 10_000_000],
  ["DB1.DTL0", "text", "tomorrow"],
  ["DB1.DT0", "text", "1989-12-31T00:00:00"],
  ["DB1.TOD0", "text", "24:00:00"],
  ["C1", "uint16", 1_000],
  ["DB1.REAL0", "float32", "1"],
  ["DB1.REAL0", "float32", null],
];
test.each(REFUSED)("%s as %s does not take %p", (text, dataType, value) => {
  expect(() => encode(address(text, dataType), value)).toThrow(Error);
});

const moments = fc.date({ min: new Date("1990-01-01"), max: new Date("2089-12-31"), noInvalidDate: true });

test("every moment is written and read back the same, in each type", () => {
  fc.assert(
    fc.property(moments, fc.constantFrom("DT", "LDT", "DTL"), (date, type) => {
      const text = date
        .toISOString()
        .slice(0, -1)
        .replace(/\.?0+$/, (zeros) => (zeros.includes(".") ? "" : zeros));
      const place = address(`DB1.${type}0`, "text");
      const { bytes } = encode(place, date.toISOString().slice(0, -1));
      const read = decoderOf(place)(bytes, 0, bytes.length) as string;
      expect(Date.parse(`${read}Z`)).toBe(date.getTime());
      expect(text.startsWith(read.slice(0, 19))).toBe(true);
    }),
  );
});
