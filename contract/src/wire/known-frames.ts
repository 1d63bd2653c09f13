import { AppError } from "../error/app-error.ts";
import { LIMITS } from "./limits.ts";

/** A frame by what cannot be the same by chance: its first number and its checksum. */
export interface KnownFrame {
  first: number;
  crc: number;
}

const ENTRY_BYTES = 12;

/**
 * Frames the hub already has, for a gateway that went back in time (`delivery.md` 2.9): base64 of first (u64) and
 * CRC (u32), little endian, in rising order.
 */
export function encodeKnownFrames(frames: readonly KnownFrame[]): string {
  const view = new DataView(new ArrayBuffer(frames.length * ENTRY_BYTES));
  frames.forEach(({ first, crc }, index) => {
    view.setBigUint64(index * ENTRY_BYTES, BigInt(first), true);
    view.setUint32(index * ENTRY_BYTES + 8, crc, true);
  });
  const bytes = new Uint8Array(view.buffer);
  let text = "";
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8_192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(text);
}

/** @throws AppError `uplink.protocol` */
export function decodeKnownFrames(text: string): KnownFrame[] {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new AppError("uplink.protocol", "The list of known frames is no base64", { cause });
  }
  const count = bytes.length / ENTRY_BYTES;
  if (!Number.isInteger(count) || count > LIMITS.knownFramesMax)
    throw new AppError("uplink.protocol", `The list of known frames has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, index) => ({
    first: Number(view.getBigUint64(index * ENTRY_BYTES, true)),
    crc: view.getUint32(index * ENTRY_BYTES + 8, true),
  }));
}
