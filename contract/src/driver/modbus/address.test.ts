import { expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "../../error/app-error.ts";
import type { DataType } from "../../vocabulary/value.ts";
import { decodeSettings } from "../settings.ts";
import { describeAddress, formatAddress, parseAddress } from "./address.ts";
import { modbusDeclaration as modbus } from "./declaration.ts";

const settings = (over: object = {}) => decodeSettings(modbus, { host: "plc", ...over });
const place = (text: string, over: object = {}, type: DataType = "uint16") => {
  const { area, offset, bit } = parseAddress(text, type, settings(over));
  return [area, offset, bit];
};

test("5a.9 base 0, base 1, hex, and the 5 and 6 digit forms meet at one offset", () => {
  for (const text of ["holding:100", "holding:0x64", "HOLDING:0X64", "40101", "400101"]) {
    expect(place(text)).toEqual(["holding", 100, null]);
  }
  expect(place("holding:101", { addressBase: 1 })).toEqual(["holding", 100, null]);
  // The digit forms count from 1 whatever the base.
  expect(place("40101", { addressBase: 1 })).toEqual(["holding", 100, null]);
  expect(place("30001")).toEqual(["input", 0, null]);
  expect(place("00001", {}, "boolean")).toEqual(["coil", 0, null]);
  expect(place("10001", {}, "boolean")).toEqual(["discrete", 0, null]);
  expect(place("465536")).toEqual(["holding", 65_535, null]);
  expect(place("40101.3", {}, "boolean")).toEqual(["holding", 100, 3]);
});

test("5a.9 both notations, the function and the raw offset are shown side by side", () => {
  const shown = (text: string, over: object = {}) =>
    describeAddress(parseAddress(text, "uint16", settings(over)));
  expect(shown("holding:100")).toBe("holding 100 (function 3, offset 100, 40101)");
  expect(shown("holding:100", { addressBase: 1 })).toBe("holding 100 (function 3, offset 99, 40100)");
  expect(shown("input:9999")).toBe("input 9999 (function 4, offset 9999, 310000)");
});

const WRONG: [text: string, type: DataType, right: string][] = [
  ["40000", "uint16", "counts from 1"],
  ["465537", "uint16", "counts from 1"],
  ["holding:65536", "uint16", "counts from 0 to 65535"],
  ["holding:65535", "float32", "choose a smaller address"],
  ["register 5", "uint16", "write area:number"],
  ["holding:1.16", "boolean", "from 0 to 15"],
  ["holding:1", "boolean", "name the bit"],
  ["coil:1", "uint16", "are boolean"],
  ["holding:1.2", "uint16", "is boolean"],
  ["holding:1 order=ABDC", "float32", "ABCD, CDAB, BADC, DCBA"],
  ["holding:1 order=CDAB order=ABCD", "float32", "give it once"],
  ["holding:1", "text", "add length="],
  ["holding:1 length=251", "text", "from 1 to 250"],
  ["holding:1 unit=256", "uint16", "from 0 to 255"],
  ["holding:1 byte=middle", "uint8", "byte=high or byte=low"],
  ["holding:1 uint=3", "uint16", "known options"],
];
test.each(WRONG)("%s as %s is refused with what would be right", (text, type, right) => {
  let thrown: unknown;
  try {
    parseAddress(text, type, settings());
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(AppError);
  expect((thrown as AppError).code).toBe("address.illegal");
  expect((thrown as AppError).message).toContain(right);
});

test("5a.10 the order of a tag goes over that of its device", () => {
  const swapped = (text: string) => {
    const { wordsSwapped, bytesSwapped } = parseAddress(
      text,
      "float32",
      settings({ wordOrder: "low-first", byteOrder: "low-first" }),
    );
    return [wordsSwapped, bytesSwapped];
  };
  expect(swapped("holding:0")).toEqual([true, true]);
  expect(swapped("holding:0 order=ABCD")).toEqual([false, false]);
  expect(swapped("holding:0 order=BADC")).toEqual([false, true]);
});

const order = fc.constantFrom("high-first", "low-first");
const device = fc.record({ addressBase: fc.constantFrom(0, 1), wordOrder: order, byteOrder: order });
const number = fc.integer({ min: 1, max: 65_000 });
const unit = fc.integer({ min: 0, max: 255 });
const registers = fc.constantFrom("holding", "input");
const written: fc.Arbitrary<[DataType, string]> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom<DataType>(
        "uint16",
        "int16",
        "int32",
        "uint32",
        "float32",
        "int64",
        "uint64",
        "float64",
      ),
      registers,
      number,
      unit,
    )
    .map(([type, area, at, of]): [DataType, string] => [type, `${area}:${at} unit=${of}`]),
  fc
    .tuple(registers, number, fc.integer({ min: 0, max: 15 }))
    .map(([area, at, bit]): [DataType, string] => ["boolean", `${area}:${at}.${bit}`]),
  fc
    .tuple(fc.constantFrom("coil", "discrete"), number)
    .map(([area, at]): [DataType, string] => ["boolean", `${area}:${at}`]),
  fc
    .tuple(registers, number, fc.constantFrom("high", "low"))
    .map(([area, at, byte]): [DataType, string] => ["int8", `${area}:${at} byte=${byte}`]),
  fc
    .tuple(number, fc.integer({ min: 1, max: 120 }), fc.constantFrom("high-low", "low-high", "high", "low"))
    .map(([at, length, layout]): [DataType, string] => [
      "text",
      `holding:${at} length=${length} layout=${layout}`,
    ]),
);

test("what we write of an address is read back as the same address", () => {
  fc.assert(
    fc.property(device, written, (over, [type, text]) => {
      const own = settings(over);
      const address = parseAddress(text, type, own);
      expect(parseAddress(formatAddress(address), type, own)).toEqual(address);
    }),
  );
});
