import type { ModbusAddress } from "@millrace/contract/driver/modbus/address";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { byteMap } from "./codec.ts";

/** One write as it goes over the wire, by the functions 5 or 15, 6, 16 and 22. */
export type WriteRequest =
  | { do: "coil"; offset: number; on: boolean; multiple: boolean }
  | { do: "register"; offset: number; word: number }
  | { do: "registers"; offset: number; words: number[] }
  /** The device itself changes these bits of one register: new = (old AND `and`) OR (`or` AND NOT `and`). */
  | { do: "mask"; offset: number; and: number; or: number };

/** Most registers of one write (V1.1b3, 6.12). */
const WRITE_REGISTERS_MAX = 123;

const WHOLE: Partial<Record<DataType, readonly [min: number, max: number]>> = {
  int8: [-0x80, 0x7f],
  uint8: [0, 0xff],
  int16: [-0x8000, 0x7fff],
  uint16: [0, 0xffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint32: [0, 0xffff_ffff],
};
const LONG: Partial<Record<DataType, readonly [min: bigint, max: bigint]>> = {
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

const refuse = (why: string): never => {
  throw new RangeError(why);
};

/**
 * Value → the one request that puts it there, nothing beside it changed: part of a register is written by the device's
 * own mask function and not by reading, changing and writing back, which would undo what the device did in between.
 * @throws RangeError when the address cannot be written or cannot hold the value
 */
export function encodeWrite(address: ModbusAddress, value: TagValue): WriteRequest {
  const { area, offset, dataType } = address;
  if (area === "discrete" || area === "input") refuse(`the area ${area} can only be read`);
  if (area === "coil") {
    const on = typeof value === "boolean" ? value : refuse(`${String(value)} is no true or false`);
    return { do: "coil", offset, on, multiple: address.rules.writeBy === "multiple" };
  }
  if (address.bit !== null) return bitMask(address, address.bit, value);
  if (dataType === "int8" || dataType === "uint8") return byteMask(address, whole(dataType, value));
  const bytes = dataType === "text" ? textBytes(address, value) : numberBytes(address, value);
  const words = Array.from({ length: bytes.length / 2 }, (_, at) => bytes.readUInt16BE(at * 2));
  if (words.length > WRITE_REGISTERS_MAX) refuse(`${words.length} registers do not fit into one write`);
  return words.length === 1 && address.rules.writeBy === "single"
    ? { do: "register", offset, word: words[0]! }
    : { do: "registers", offset, words };
}

function bitMask({ offset, bytesSwapped }: ModbusAddress, bit: number, value: TagValue): WriteRequest {
  if (typeof value !== "boolean") refuse(`${String(value)} is no true or false`);
  const mask = 1 << (bytesSwapped ? bit ^ 8 : bit);
  return { do: "mask", offset, and: 0xffff & ~mask, or: value === true ? mask : 0 };
}

function byteMask({ offset, highByte, bytesSwapped }: ModbusAddress, value: number): WriteRequest {
  const shift = highByte === bytesSwapped ? 0 : 8;
  return { do: "mask", offset, and: 0xffff & ~(0xff << shift), or: (value & 0xff) << shift };
}

function whole(dataType: DataType, value: TagValue): number {
  const [min, max] = WHOLE[dataType]!;
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
    ? value
    : refuse(`${String(value)} is no whole number from ${min} to ${max}`);
}

function numberBytes(address: ModbusAddress, value: TagValue): Buffer {
  const { dataType, width } = address;
  const plain = Buffer.alloc(width * 2);
  if (dataType === "float32" || dataType === "float64") {
    const number =
      typeof value === "number" && Number.isFinite(value) ? value : refuse(`${String(value)} is no number`);
    if (dataType === "float64") plain.writeDoubleBE(number);
    else if (Number.isFinite(Math.fround(number))) plain.writeFloatBE(number);
    else refuse(`${number} is beyond what 32 bits hold`);
  } else if (LONG[dataType] !== undefined) {
    const [min, max] = LONG[dataType];
    if (typeof value !== "bigint" || value < min || value > max)
      refuse(`${String(value)} is no whole number from ${min} to ${max}`);
    plain.writeBigUInt64BE(BigInt.asUintN(64, value as bigint));
  } else {
    const bits = whole(dataType, value) >>> 0;
    if (width === 1) plain.writeUInt16BE(bits & 0xffff);
    else plain.writeUInt32BE(bits);
  }
  const bytes = Buffer.alloc(plain.length);
  const to = byteMap(width, address.wordsSwapped, address.bytesSwapped);
  for (let index = 0; index < plain.length; index++) bytes[to[index]!] = plain[index]!;
  return bytes;
}

/** Filled up with NUL, so that nothing of a longer text before remains. */
function textBytes({ length, layout, width }: ModbusAddress, value: TagValue): Buffer {
  const text = typeof value === "string" ? value : refuse(`${String(value)} is no text`);
  if (text.length > length) refuse(`the text has ${text.length} characters, the device holds ${length}`);
  const step = layout === "high" || layout === "low" ? 2 : 1;
  if (step === 1 && length % 2 === 1) refuse("an odd length leaves half a register that is not ours");
  const bytes = Buffer.alloc(width * 2);
  const flip = layout === "low-high" ? 1 : 0;
  const start = layout === "low" ? 1 : 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0 || code > 0xff) refuse(`the device has no character ${JSON.stringify(text[index])}`);
    bytes[start + ((index * step) ^ flip)] = code;
  }
  return bytes;
}
