import { expect, test } from "bun:test";
import { type ModbusAddress, parseAddress } from "@millrace/contract/driver/modbus/address";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { seededRandom } from "../../../../contract/test/random.ts";
import { decoderOf } from "./codec.ts";
import { encodeWrite } from "./encode.ts";
import { modbus } from "./index.ts";

const settings = decodeSettings(modbus, { host: "plc" });
const random = seededRandom(15);
const below = (count: number) => Math.floor(random() * count);
const bits = (count: number) => BigInt(below(2 ** 32)) * BigInt(2 ** (count - 32)) + BigInt(below(2 ** 32));

const VALUE: Partial<Record<DataType, () => TagValue>> = {
  boolean: () => random() < 0.5,
  int8: () => below(256) - 128,
  uint8: () => below(256),
  int16: () => below(65_536) - 32_768,
  uint16: () => below(65_536),
  int32: () => below(2 ** 32) - 2 ** 31,
  uint32: () => below(2 ** 32),
  int64: () => BigInt.asIntN(64, bits(64)),
  uint64: () => BigInt.asUintN(64, bits(64)),
  float32: () => Math.fround((random() - 0.5) * 10 ** below(30)),
  float64: () => (random() - 0.5) * 10 ** below(200),
  text: () => Array.from({ length: below(7) }, () => String.fromCharCode(33 + below(200))).join(""),
};
const ORDERS = {
  1: ["AB", "BA"],
  2: ["ABCD", "CDAB", "BADC", "DCBA"],
  4: ["ABCDEFGH", "GHEFCDAB", "HGFEDCBA"],
};
const widthOf = (type: DataType) => (/64/.test(type) ? 4 : /32/.test(type) ? 2 : 1);

function addressText(type: DataType): string {
  if (type === "text")
    return `holding:10 length=6 layout=${["high-low", "low-high", "high", "low"][below(4)]}`;
  const orders = ORDERS[widthOf(type)];
  const order = ` order=${orders[below(orders.length)]}`;
  if (type === "boolean") return `holding:10.${below(16)}${order}`;
  return `holding:10${order}${type.endsWith("t8") ? ` byte=${random() < 0.5 ? "high" : "low"}` : ""}`;
}

/** The registers from offset 10 after the write, of a device that held noise. */
function carriedOut(address: ModbusAddress, value: TagValue, registers: Buffer): void {
  const request = encodeWrite(address, value);
  if (request.do === "register") registers.writeUInt16BE(request.word);
  else if (request.do === "registers")
    for (const [at, word] of request.words.entries()) registers.writeUInt16BE(word, at * 2);
  else if (request.do === "mask") {
    const before = registers.readUInt16BE(0);
    registers.writeUInt16BE((before & request.and) | (request.or & ~request.and & 0xffff));
  }
}

test("what is written is what is read, in every type, order and layout, 5,000 times", () => {
  const types = Object.keys(VALUE) as DataType[];
  for (let round = 0; round < 5_000; round++) {
    const type = types[round % types.length]!;
    const text = addressText(type);
    const address = parseAddress(text, type, settings);
    const registers = Buffer.from(Array.from({ length: 16 }, () => below(256)));
    const before = Buffer.from(registers);
    const value = VALUE[type]!();
    carriedOut(address, value, registers);
    const read = decoderOf(address)(registers, 0);
    expect([text, read]).toEqual([text, typeof value === "string" ? value.replace(/ +$/, "") : value]);
    expect(registers.subarray(address.width * 2)).toEqual(before.subarray(address.width * 2));
  }
});

test("part of a register leaves its other bits alone", () => {
  const registers = Buffer.from([0xa5, 0x5a]);
  carriedOut(parseAddress("holding:10.0", "boolean", settings), true, registers);
  carriedOut(parseAddress("holding:10 byte=high", "uint8", settings), 0x11, registers);
  expect(registers.toString("hex")).toBe("115b");
});

const REFUSED: [string, DataType, TagValue][] = [
  ["discrete:1", "boolean", true],
  ["input:1", "uint16", 1],
  ["coil:1", "boolean", 1],
  ["holding:1.2", "boolean", 1],
  ["holding:1", "uint16", -1],
  ["holding:1", "int16", 1.5],
  ["holding:1 byte=high", "int8", 128],
  ["holding:1", "uint32", 2 ** 32],
  ["holding:1", "int64", 2n ** 63n],
  ["holding:1", "uint64", 7],
  ["holding:1", "float32", 1e39],
  ["holding:1", "float64", Number.NaN],
  ["holding:1", "uint16", null],
  ["holding:1 length=4", "text", "12345"],
  ["holding:1 length=5", "text", "12345"],
  ["holding:1 length=4", "text", "€"],
  ["holding:1 length=4", "text", "a\u0000b"],
];
for (const [text, type, value] of REFUSED) {
  test(`${String(value)} as ${type} at ${text} is refused before anything is sent`, () => {
    expect(() => encodeWrite(parseAddress(text, type, settings), value)).toThrow(RangeError);
  });
}
