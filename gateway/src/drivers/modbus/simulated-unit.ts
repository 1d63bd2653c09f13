import type { Area } from "@millrace/contract/driver/modbus/address";

/** A write as the simulator carried it out; a coil's words are 1 or 0, a mask's the register after it. */
export interface SimWrite {
  unit: number;
  area: "coil" | "holding";
  offset: number;
  words: number[];
}

/** One unit: its memory and its character. */
export class SimUnit {
  readonly holding = new Uint16Array(65_536);
  readonly input = new Uint16Array(65_536);
  readonly coil = new Uint8Array(65_536);
  readonly discrete = new Uint8Array(65_536);
  /** Addresses answered with exception 2, as `area:offset`. */
  readonly illegal = new Set<string>();
  registersMax = 125;
  /** What happens above `registersMax`: an exception code, or silence. */
  overLimit: 2 | 3 | "silent" = 3;
  /** Areas whose function the unit does not know. */
  readonly missing = new Set<Area>();
  dead = false;
  /** Exception to every request, e.g. 6 busy or 11 away. */
  exception: number | null = null;
  /** Says that it wrote and does not: an interlock, or a key switch in "local". */
  ignoresWrites = false;

  setFloat(area: "holding" | "input", offset: number, value: number): this {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value);
    this[area][offset] = view.getUint16(0);
    this[area][offset + 1] = view.getUint16(2);
    return this;
  }
}

/** What a request writes, by the functions 5, 6, 15, 16 and 22; null for a read. */
export function writeOf(number: number, unit: SimUnit, bytes: Buffer): SimWrite | null {
  const offset = bytes.readUInt16BE(8);
  const second = bytes.readUInt16BE(10);
  const at = { unit: number, offset };
  switch (bytes[7]) {
    case 5:
      return { ...at, area: "coil", words: [second === 0xff00 ? 1 : 0] };
    case 6:
      return { ...at, area: "holding", words: [second] };
    case 15:
      return {
        ...at,
        area: "coil",
        words: Array.from({ length: second }, (_, bit) => (bytes[13 + (bit >> 3)]! >> (bit & 7)) & 1),
      };
    case 16:
      return {
        ...at,
        area: "holding",
        words: Array.from({ length: second }, (_, word) => bytes.readUInt16BE(13 + word * 2)),
      };
    case 22: {
      const or = bytes.readUInt16BE(12);
      return { ...at, area: "holding", words: [(unit.holding[offset]! & second) | (or & ~second & 0xffff)] };
    }
    default:
      return null;
  }
}
