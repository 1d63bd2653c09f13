import { crc32c } from "@millrace/contract/std/crc32c";
import { FRAME_HEADER_BYTES } from "@millrace/contract/wire/frame";

/** Where the frame header of `contract/src/wire/frame.ts` holds what a forger changes. */
const KIND_AT = 4;
const BODY_BYTES_AT = 20;
const CRC_AT = 64;

export interface Forgery {
  kind?: number;
  body?: Uint8Array;
  /** What the header says of the body's length; its true length when absent. */
  bodyBytes?: number;
}

/** A frame changed in ways that `sealFrame` refuses, with a checksum that holds. */
export function forge(frame: Uint8Array, { kind, body, bodyBytes }: Forgery): Uint8Array {
  const payload = body ?? frame.subarray(FRAME_HEADER_BYTES);
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  bytes.set(frame.subarray(0, FRAME_HEADER_BYTES));
  bytes.set(payload, FRAME_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  if (kind !== undefined) bytes[KIND_AT] = kind;
  view.setUint32(BODY_BYTES_AT, bodyBytes ?? payload.length, true);
  view.setUint32(CRC_AT, crc32c(payload, crc32c(bytes.subarray(0, CRC_AT))), true);
  return bytes;
}

/** A few seeded mutations of the bytes: flipped, cut, doubled, put in, overwritten. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  let now = Uint8Array.from(bytes);
  const times = 1 + Math.floor(random() * 4);
  for (let i = 0; i < times && now.length > 0; i++) {
    const at = Math.floor(random() * now.length);
    const length = Math.floor(random() * Math.min(64, now.length - at));
    switch (Math.floor(random() * 5)) {
      case 0:
        now[at] = now[at]! ^ (1 << Math.floor(random() * 8));
        break;
      case 1:
        now = now.slice(0, at);
        break;
      case 2:
        now = join(now.subarray(0, at + length), now.subarray(at));
        break;
      case 3:
        now = join(now.subarray(0, at), crypto.getRandomValues(new Uint8Array(length)), now.subarray(at));
        break;
      default:
        now.fill(random() < 0.5 ? 0xff : 0, at, at + length);
    }
  }
  return now;
}

const join = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.concat(parts));
