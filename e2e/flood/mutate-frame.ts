import type { Random } from "@millrace/contract/std/clock";
import { chance, ODD_BODIES, pick, spoil, write } from "./mutate.ts";
import { binaryFrame, textFrame, type WireFrame } from "./raw-client.ts";

const joined = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.concat(parts));

/** Bytes with one to four things wrong: bits flipped, cut, lengthened, doubled, zeroed, numbers at the edge of their range. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  let out = Uint8Array.from(bytes);
  for (let left = 1 + Math.floor(random() * 4); left > 0; left--) {
    const at = Math.floor(random() * out.length);
    const span = 1 + Math.floor(random() * 16);
    switch (Math.floor(random() * 7)) {
      case 0:
        if (out.length > 0) out[at] = out[at]! ^ (1 << Math.floor(random() * 8));
        break;
      case 1:
        out = out.slice(0, at);
        break;
      case 2:
        out = joined(
          out,
          Uint8Array.from({ length: span }, () => Math.floor(random() * 256)),
        );
        break;
      case 3:
        out = joined(out, out.subarray(at)).subarray(0, 300_000);
        break;
      case 4:
        out.fill(0, at, at + span);
        break;
      case 5:
        out.fill(0xff, at, at + span);
        break;
      default:
        out = joined(out.subarray(0, at), out.subarray(at + span));
    }
  }
  return out;
}

/** The same for a text that stays UTF-8, so that more than the decoder of the socket gets to see it. */
function mutateChars(text: string, random: Random): string {
  const at = Math.floor(random() * text.length);
  const inserted = chance(random, 0.5)
    ? pick(random, ['"', "{", "]", ",", "\u0000", "1e999", "\\ud800"])
    : "";
  return text.slice(0, at) + inserted + text.slice(at + Math.floor(random() * 4));
}

/** A message that is nearly right, as text: a part of it odd, characters of it wrong, or something else altogether. */
export function mutateText(message: unknown, random: Random): Uint8Array {
  if (chance(random, 0.06)) return Buffer.from(pick(random, ODD_BODIES));
  const text = write(chance(random, 0.85) ? spoil(message, random) : message);
  if (chance(random, 0.01)) return mutateBytes(Buffer.from(text), random);
  return Buffer.from(chance(random, 0.15) ? mutateChars(text, random) : text);
}

/** FIN, reserved bits and opcodes: continuations, unknown ones, closes and pings among them. */
const ODD_FIRSTS = [0x01, 0x02, 0x00, 0x80, 0x83, 0x8b, 0xc1, 0xa1, 0x88, 0x89, 0x8a, 0x08, 0x09];

/** Now and then a frame itself is wrong: its kind, its length, its mask. */
export function mutateFraming(frame: WireFrame, random: Random): WireFrame {
  if (!chance(random, 0.03)) return frame;
  switch (Math.floor(random() * 4)) {
    case 0:
      return { ...frame, first: pick(random, ODD_FIRSTS) };
    case 1:
      return { ...frame, masked: false };
    case 2:
      return { ...frame, length: pick(random, [0, 125, 126, 65_536, 2 ** 31, 2 ** 53]) };
    default:
      return { ...frame, payload: mutateBytes(frame.payload, random) };
  }
}

export const mutatedText = (message: unknown, random: Random): WireFrame => {
  const payload = mutateText(message, random);
  return mutateFraming({ ...textFrame(""), payload, length: payload.length }, random);
};

export const mutatedBinary = (bytes: Uint8Array, random: Random): WireFrame =>
  mutateFraming(binaryFrame(chance(random, 0.6) ? mutateBytes(bytes, random) : bytes), random);
