import type { DataType } from "../../vocabulary/value.ts";

/** Types a search tries: numbers that fill whole registers. */
export const MATCH_TYPES = [
  "uint16",
  "int16",
  "uint32",
  "int32",
  "float32",
  "uint64",
  "int64",
  "float64",
] as const satisfies DataType[];
export type MatchType = (typeof MATCH_TYPES)[number];

/** Registers of a type. */
export const WIDTH: Record<MatchType, 1 | 2 | 4> = {
  uint16: 1,
  int16: 1,
  uint32: 2,
  int32: 2,
  float32: 2,
  uint64: 4,
  int64: 4,
  float64: 4,
};

const scratch = new DataView(new ArrayBuffer(8));

const GET: Record<MatchType, () => number | bigint> = {
  uint16: () => scratch.getUint16(0),
  int16: () => scratch.getInt16(0),
  uint32: () => scratch.getUint32(0),
  int32: () => scratch.getInt32(0),
  float32: () => scratch.getFloat32(0),
  uint64: () => scratch.getBigUint64(0),
  int64: () => scratch.getBigInt64(0),
  float64: () => scratch.getFloat64(0),
};

/** The number of one type and order that begins at `words[at]`; the registers must be there. */
export function numberAt(
  words: ArrayLike<number | null>,
  at: number,
  type: MatchType,
  order: { wordsSwapped: boolean; bytesSwapped: boolean },
): number | bigint {
  const width = WIDTH[type];
  for (let index = 0; index < width; index++) {
    const word = words[at + (order.wordsSwapped ? width - 1 - index : index)] ?? 0;
    scratch.setUint16(index * 2, word, order.bytesSwapped);
  }
  return GET[type]();
}

/** Places of a double on the line of all doubles, so that their distance counts the numbers between them. */
function placeOf(value: number, bits: 32 | 64): number {
  if (bits === 32) {
    scratch.setFloat32(0, value);
    const raw = scratch.getUint32(0);
    return raw >= 2 ** 31 ? -(raw - 2 ** 31) : raw;
  }
  scratch.setFloat64(0, value);
  const raw = scratch.getBigUint64(0);
  const half = 1n << 63n;
  return Number(raw >= half ? half - raw : raw);
}

const RANGE: Record<Exclude<MatchType, "float32" | "float64">, [low: number, high: number]> = {
  uint16: [0, 2 ** 16 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint32: [0, 2 ** 32 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint64: [0, 2 ** 64],
  int64: [-(2 ** 63), 2 ** 63],
};

/** How likely registers of any content hold a number of this type from `low` to `high`: the share of all bit patterns. */
export function chanceOf(type: MatchType, low: number, high: number): number {
  if (type === "float32" || type === "float64") {
    const bits = type === "float32" ? 32 : 64;
    return (placeOf(high, bits) - placeOf(low, bits) + 1) / 2 ** bits;
  }
  const [min, max] = RANGE[type];
  const count = Math.floor(Math.min(high, max)) - Math.ceil(Math.max(low, min)) + 1;
  return Math.max(1, count) / 2 ** (WIDTH[type] * 16);
}
