import type { Machine, MachineKind } from "./machines.ts";

type PlantTag = MachineKind["tags"][number];

/** Bytes of a value as the machine holds them, most significant register first unless its words are swapped. */
function registersOf(tag: PlantTag, value: number | bigint | boolean | string): number[] {
  const bytes = new DataView(new ArrayBuffer(64));
  let count = 1;
  switch (tag.dataType) {
    case "float32":
      bytes.setFloat32(0, Number(value));
      count = 2;
      break;
    case "uint32":
      bytes.setUint32(0, Number(value));
      count = 2;
      break;
    case "uint64":
      bytes.setBigUint64(0, BigInt(value as bigint));
      count = 4;
      break;
    case "text": {
      const text = String(value);
      count = Number(/length=(\d+)/.exec(tag.address)?.[1] ?? 8);
      for (let i = 0; i < count * 2; i++) bytes.setUint8(i, i < text.length ? text.charCodeAt(i) : 0);
      break;
    }
    case "boolean":
      bytes.setUint16(0, value ? 1 << (tag.at.bit ?? 0) : 0);
      break;
    default:
      bytes.setInt16(0, Math.round(Number(value)));
  }
  const registers = Array.from({ length: count }, (_, index) => bytes.getUint16(index * 2));
  return tag.at.wordSwap ? registers.reverse() : registers;
}

/** What one machine holds right now. Reading an address nothing lies at is refused, as real devices do. */
export class MachineMemory {
  private readonly words = { holding: new Map<number, number>(), input: new Map<number, number>() };
  private readonly bits = { coil: new Map<number, boolean>(), discrete: new Map<number, boolean>() };
  private readonly signals;
  /** Written from outside: kept until the next write. As `area:offset`. */
  private readonly held = new Set<string>();

  constructor(machine: Machine) {
    this.signals = machine.kind.tags.map((tag) => ({ tag, signal: tag.signal(machine.seed) }));
  }

  /** Renews every value for the given moment. */
  refresh(nowMs: number): void {
    for (const { tag, signal } of this.signals) {
      const value = signal(nowMs);
      const { area, offset } = tag.at;
      if (this.held.has(`${area}:${offset}`)) continue;
      if (area === "coil" || area === "discrete") this.bits[area].set(offset, Boolean(value));
      else registersOf(tag, value).forEach((word, index) => void this.words[area].set(offset + index, word));
    }
  }

  /** Takes a register or a coil where one lies. @returns false where nothing does */
  write(area: "holding" | "coil", offset: number, value: number | boolean): boolean {
    if (area === "coil" && !this.bits.coil.has(offset)) return false;
    if (area === "holding" && !this.words.holding.has(offset)) return false;
    if (area === "coil") this.bits.coil.set(offset, Boolean(value));
    else this.words.holding.set(offset, Number(value));
    this.held.add(`${area}:${offset}`);
    return true;
  }

  word(area: "holding" | "input", offset: number): number | undefined {
    return this.words[area].get(offset);
  }

  bit(area: "coil" | "discrete", offset: number): boolean | undefined {
    return this.bits[area].get(offset);
  }
}
