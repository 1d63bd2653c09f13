/** Reads one protobuf message, field by field (protobuf encoding, wire types 0, 1, 2 and 5). Copies nothing. */

export class Garbled extends Error {}

export interface Field {
  no: number;
  /** Of wire types 0, 1 and 5, as unsigned bits. */
  bits: bigint;
  /** Of wire type 2; a view of the message. */
  bytes: Uint8Array;
}

const NONE = new Uint8Array(0);
const DECODER = new TextDecoder("utf-8", { fatal: true });

/** @throws Garbled when the bytes are no such message */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) throw new Garbled("it ends within a number");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Garbled("a number of more than ten bytes");
  };
  const ahead = (bytes: number): void => {
    if (at + bytes > message.length) throw new Garbled("it ends within a field");
  };
  while (at < message.length) {
    const tag = Number(varint() & 0xffff_ffffn);
    const no = tag >>> 3;
    if (no === 0) throw new Garbled("a field without a number");
    switch (tag & 7) {
      case 0:
        yield { no, bits: varint(), bytes: NONE };
        break;
      case 1:
        ahead(8);
        yield { no, bits: view.getBigUint64(at, true), bytes: NONE };
        at += 8;
        break;
      case 2: {
        const length = Number(varint());
        ahead(length);
        yield { no, bits: 0n, bytes: message.subarray(at, at + length) };
        at += length;
        break;
      }
      case 5:
        ahead(4);
        yield { no, bits: BigInt(view.getUint32(at, true)), bytes: NONE };
        at += 4;
        break;
      default:
        throw new Garbled(`wire type ${tag & 7}`);
    }
  }
}

/** @throws Garbled when it is no UTF-8 */
export function textOf(bytes: Uint8Array): string {
  try {
    return DECODER.decode(bytes);
  } catch {
    throw new Garbled("a text that is no UTF-8");
  }
}

export const floatOf = (bits: bigint): number => {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, Number(bits & 0xffff_ffffn), true);
  return view.getFloat32(0, true);
};

export const doubleOf = (bits: bigint): number => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits, true);
  return view.getFloat64(0, true);
};
