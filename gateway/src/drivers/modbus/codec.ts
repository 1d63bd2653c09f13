import type { ModbusAddress } from "@millrace/contract/driver/modbus/address";
import type { TagValue } from "@millrace/contract/vocabulary/value";

/** Reads one value that starts at byte `at` of a register reply. */
export type Decode = (bytes: Buffer, at: number) => TagValue;

const scratch = Buffer.alloc(8);

/**
 * The decoder of one address, chosen once so that a poll only calls it. Byte and word order are those of the address;
 * integers of 64 bit come as bigint, exact over their whole range.
 */
export function decoderOf(address: ModbusAddress): Decode {
  if (address.bit !== null) return bitDecoder(address.bit, address.bytesSwapped);
  if (address.dataType === "text") return textDecoder(address);
  if (address.width === 1) return oneRegister(address);
  const read = READ[address.dataType as Wide];
  if (!address.wordsSwapped && !address.bytesSwapped) return read;
  const from = byteMap(address.width, address.wordsSwapped, address.bytesSwapped);
  return (bytes, at) => {
    for (let index = 0; index < from.length; index++) scratch[index] = bytes[at + from[index]!]!;
    return read(scratch, 0);
  };
}

/** One bit of a coil or discrete reply: the first is the low bit of the first byte (V1.1b3, 6.1). */
export function bitAt(bytes: Buffer, index: number): boolean {
  return ((bytes[index >> 3]! >> (index & 7)) & 1) === 1;
}

type Wide = "int32" | "uint32" | "float32" | "int64" | "uint64" | "float64";

const READ: Record<Wide, Decode> = {
  int32: (bytes, at) => bytes.readInt32BE(at),
  uint32: (bytes, at) => bytes.readUInt32BE(at),
  float32: (bytes, at) => bytes.readFloatBE(at),
  int64: (bytes, at) => bytes.readBigInt64BE(at),
  uint64: (bytes, at) => bytes.readBigUInt64BE(at),
  float64: (bytes, at) => bytes.readDoubleBE(at),
};

/** Where each byte of the big-endian value stands in the reply. */
export function byteMap(words: number, wordsSwapped: boolean, bytesSwapped: boolean): number[] {
  const map: number[] = [];
  for (let index = 0; index < words * 2; index++) {
    const word = wordsSwapped ? words - 1 - (index >> 1) : index >> 1;
    map.push(word * 2 + (bytesSwapped ? 1 - (index & 1) : index & 1));
  }
  return map;
}

function oneRegister(address: ModbusAddress): Decode {
  // Low byte of the register: the second byte on the wire, unless the device swaps them.
  const byteAt = address.highByte === address.bytesSwapped ? 1 : 0;
  switch (address.dataType) {
    case "int8":
      return (bytes, at) => bytes.readInt8(at + byteAt);
    case "uint8":
      return (bytes, at) => bytes[at + byteAt]!;
    case "int16":
      return address.bytesSwapped
        ? (bytes, at) => bytes.readInt16LE(at)
        : (bytes, at) => bytes.readInt16BE(at);
    default:
      return address.bytesSwapped
        ? (bytes, at) => bytes.readUInt16LE(at)
        : (bytes, at) => bytes.readUInt16BE(at);
  }
}

function bitDecoder(bit: number, bytesSwapped: boolean): Decode {
  const byteAt = bit < 8 === bytesSwapped ? 0 : 1;
  const mask = 1 << (bit & 7);
  return (bytes, at) => (bytes[at + byteAt]! & mask) !== 0;
}

/**
 * Text ends at the first NUL, as C writes it; spaces at the end are padding. Bytes are ISO 8859-1, which is ASCII for
 * most devices and never fails for the rest.
 */
function textDecoder({ length, layout }: ModbusAddress): Decode {
  const step = layout === "high" || layout === "low" ? 2 : 1;
  const flip = layout === "low-high" ? 1 : 0;
  const start = layout === "low" ? 1 : 0;
  return (bytes, at) => {
    let text = "";
    for (let index = 0; index < length; index++) {
      const code = bytes[at + start + ((index * step) ^ flip)]!;
      if (code === 0) break;
      text += String.fromCharCode(code);
    }
    return text.replace(/ +$/, "");
  };
}
