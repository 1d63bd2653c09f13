import type { S7Address } from "@millrace/contract/driver/s7/address";
import { isText, typeRow } from "@millrace/contract/driver/s7/types";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { bcd, toBcd } from "./bcd.ts";
import { type ClockType, clockOf, isClockType } from "./clock-types.ts";

/**
 * Reads one value that starts at byte `at`, with `end` where the bytes end. Undefined: these bytes are no value of the
 * type.
 */
export type Decode = (bytes: Buffer, at: number, end: number) => TagValue | undefined;

/** The decoder of one address, chosen once so that a poll only calls it. */
export function decoderOf(address: S7Address): Decode {
  const { type, bit, dataType } = address;
  if (bit !== null) {
    const mask = 1 << bit;
    return (bytes, at) => (bytes[at]! & mask) !== 0;
  }
  if (isText(type)) return textDecoder(address);
  if (type === "S5TIME" || type === "TIMER") return s5time;
  if (type === "COUNTER") return (bytes, at) => bcd(bytes.readUInt16BE(at) & 0xfff, 3);
  if (isClockType(type)) {
    const { read, show } = clockOf(type);
    if (dataType !== "text") return read;
    return (bytes, at) => {
      const value = read(bytes, at);
      return value === undefined ? undefined : show(value);
    };
  }
  return NUMBERS[dataType as Numeric].read;
}

type Numeric =
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float32"
  | "float64";

interface NumberCodec {
  read: Decode;
  write(bytes: Buffer, value: number | bigint): void;
}

const small = (
  read: (b: Buffer, at: number) => number,
  write: (b: Buffer, value: number) => void,
): NumberCodec => ({
  read,
  write: (bytes, value) => write(bytes, Number(value)),
});
const large = (
  read: (b: Buffer, at: number) => bigint,
  write: (b: Buffer, value: bigint) => void,
): NumberCodec => ({
  read,
  write: (bytes, value) => write(bytes, BigInt(value)),
});

/** S7 numbers are big-endian throughout. */
const NUMBERS: Record<Numeric, NumberCodec> = {
  int8: small(
    (b, at) => b.readInt8(at),
    (b, v) => b.writeInt8(v),
  ),
  uint8: small(
    (b, at) => b[at]!,
    (b, v) => b.writeUInt8(v),
  ),
  int16: small(
    (b, at) => b.readInt16BE(at),
    (b, v) => b.writeInt16BE(v),
  ),
  uint16: small(
    (b, at) => b.readUInt16BE(at),
    (b, v) => b.writeUInt16BE(v),
  ),
  int32: small(
    (b, at) => b.readInt32BE(at),
    (b, v) => b.writeInt32BE(v),
  ),
  uint32: small(
    (b, at) => b.readUInt32BE(at),
    (b, v) => b.writeUInt32BE(v),
  ),
  float32: small(
    (b, at) => b.readFloatBE(at),
    (b, v) => b.writeFloatBE(v),
  ),
  float64: small(
    (b, at) => b.readDoubleBE(at),
    (b, v) => b.writeDoubleBE(v),
  ),
  int64: large(
    (b, at) => b.readBigInt64BE(at),
    (b, v) => b.writeBigInt64BE(v),
  ),
  uint64: large(
    (b, at) => b.readBigUInt64BE(at),
    (b, v) => b.writeBigUInt64BE(v),
  ),
};

/** Milliseconds of the four time bases of S5TIME. */
const S5_BASES_MS = [10, 100, 1_000, 10_000];

const s5time: Decode = (bytes, at) => {
  const word = bytes.readUInt16BE(at);
  const count = bcd(word & 0xfff, 3);
  return count === undefined ? undefined : count * S5_BASES_MS[(word >> 12) & 3]!;
};

/** Takes the finest base that holds it; what lies between two steps is rounded down, as the CPU does. */
function writeS5time(bytes: Buffer, ms: number): void {
  const base = S5_BASES_MS.findIndex((step) => ms / step < 1_000);
  if (base < 0 || ms < 0) throw new RangeError("S5TIME goes from 0 to 9990000 ms");
  bytes.writeUInt16BE((base << 12) | toBcd(Math.floor(ms / S5_BASES_MS[base]!), 3));
}

/**
 * STRING and WSTRING tell their length themselves: a header that cannot be true is no text, and so is one whose
 * characters did not fit in the answer. CHAR fields end at the first NUL; spaces at the end are padding. Bytes are
 * ISO 8859-1, as the panels of these CPUs use it.
 */
function textDecoder({ type, length }: S7Address): Decode {
  const { bytes: size, header = 0 } = typeRow(type);
  const wide = size === 2;
  return (bytes, at, end) => {
    let count = length;
    if (header > 0) {
      count = wide ? bytes.readUInt16BE(at + 2) : bytes[at + 1]!;
      const max = wide ? bytes.readUInt16BE(at) : bytes[at]!;
      // A block that was never written has 0 as its greatest length and no characters.
      if (count > length || (count > max && max !== 0)) return undefined;
    }
    const from = at + header;
    if (from + count * size > end) return undefined;
    let text = "";
    for (let index = 0; index < count; index++) {
      const code = wide ? bytes.readUInt16BE(from + index * 2) : bytes[from + index]!;
      if (header === 0 && code === 0) break;
      text += String.fromCharCode(code);
    }
    return header === 0 ? text.replace(/ +$/, "") : text;
  };
}

/** Bytes of a value, and where they begin behind the start of its address. */
export interface Encoded {
  skip: number;
  bytes: Buffer;
}

/** What a value is in the CPU. @throws RangeError | TypeError saying why it is nothing there */
export function encode(address: S7Address, value: TagValue): Encoded {
  if (isText(address.type)) return encodeText(address, value);
  return { skip: 0, bytes: encodeNumber(address, value) };
}

function encodeNumber({ type, dataType, bit, width }: S7Address, value: TagValue): Buffer {
  if (bit !== null) {
    if (typeof value !== "boolean") throw new TypeError("a bit is true or false");
    return Buffer.from([value ? 1 : 0]);
  }
  const bytes = Buffer.alloc(width);
  if (isClockType(type)) return encodeClock(bytes, type, value);
  if (typeof value !== "number" && typeof value !== "bigint") throw new TypeError(`${type} is a number`);
  if (type === "S5TIME" || type === "TIMER") writeS5time(bytes, Number(value));
  else if (type === "COUNTER") bytes.writeUInt16BE(toBcd(withinCounter(Number(value)), 3));
  else {
    const isFloat = dataType === "float32" || dataType === "float64";
    if (!isFloat && typeof value === "number" && !Number.isSafeInteger(value))
      throw new RangeError(`${type} is a whole number`);
    NUMBERS[dataType as Numeric].write(bytes, value);
  }
  return bytes;
}

function withinCounter(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= 999) return value;
  throw new RangeError("a counter goes from 0 to 999");
}

function encodeClock(bytes: Buffer, type: ClockType, value: TagValue): Buffer {
  const { write, parse } = clockOf(type);
  const number = typeof value === "string" ? parse(value) : value;
  if (typeof number !== "number" && typeof number !== "bigint")
    throw new TypeError(`"${value}" is no ${type}`);
  write(bytes, number);
  return bytes;
}

/** Greatest length stays as the program declared it: only the present length and the characters are written. */
function encodeText({ type, length }: S7Address, value: TagValue): Encoded {
  if (typeof value !== "string") throw new TypeError(`${type} is a text`);
  if (value.length > length) throw new RangeError(`${value.length} characters where ${length} fit`);
  const { bytes: size, header = 0 } = typeRow(type);
  const wide = size === 2;
  const told = header / 2;
  const bytes = Buffer.alloc(told + (header > 0 ? value.length : length) * size);
  if (header > 0) bytes.writeUIntBE(value.length, 0, told);
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if (!wide && code > 255) throw new RangeError(`"${value[index]}" is no character of ${type}`);
    bytes.writeUIntBE(code, told + index * size, size);
  }
  return { skip: told, bytes };
}
