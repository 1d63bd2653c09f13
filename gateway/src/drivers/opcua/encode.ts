import type { TagValue } from "@millrace/contract/vocabulary/value";
import { BUILT_IN, type VariantLike } from "./codec.ts";

/** What a node holds: its built-in type, and whether that is one value (0), an array (1) or a matrix (2). */
export interface NodeType {
  builtIn: number;
  arrayType: number;
}

const WHOLE: Readonly<Record<number, readonly [min: bigint, max: bigint]>> = {
  [BUILT_IN.sbyte]: [-128n, 127n],
  [BUILT_IN.byte]: [0n, 255n],
  [BUILT_IN.int16]: [-32_768n, 32_767n],
  [BUILT_IN.uint16]: [0n, 65_535n],
  [BUILT_IN.int32]: [-(2n ** 31n), 2n ** 31n - 1n],
  [BUILT_IN.uint32]: [0n, 2n ** 32n - 1n],
  [BUILT_IN.int64]: [-(2n ** 63n), 2n ** 63n - 1n],
  [BUILT_IN.uint64]: [0n, 2n ** 64n - 1n],
};
const NAMES: Readonly<Record<number, string>> = {
  1: "Boolean",
  2: "SByte",
  3: "Byte",
  4: "Int16",
  5: "UInt16",
  6: "Int32",
  7: "UInt32",
  8: "Int64",
  9: "UInt64",
  10: "Float",
  11: "Double",
  12: "String",
  13: "DateTime",
  14: "Guid",
  15: "ByteString",
  21: "LocalizedText",
};
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * A tag's value as the node's own type; a server takes no other (OPC 10000-4, 5.11.4). A value that the type cannot hold
 * exactly is refused: it would be another one.
 * @param element one element of an array, e.g. `3` or `1,2`; null for the whole value
 * @throws RangeError in words
 */
export function variantOf(type: NodeType, value: TagValue, element: string | null): VariantLike {
  if (element === null && type.arrayType !== 0)
    throw new RangeError("the node holds an array: name one element in the address");
  if (element !== null && type.arrayType === 0)
    throw new RangeError("the node holds one value and no array, and the address names an element");
  const one = rawOf(type.builtIn, value);
  if (element === null) return { dataType: type.builtIn, arrayType: 0, value: one };
  const dimensions = element.split(",").map(() => 1);
  const list = { dataType: type.builtIn, arrayType: type.arrayType, value: [one] };
  return type.arrayType === 1 ? list : { ...list, dimensions };
}

function rawOf(builtIn: number, value: TagValue): unknown {
  const name = NAMES[builtIn] ?? `type ${builtIn}`;
  const misfit = () =>
    new RangeError(`the node holds ${name}, which cannot be ${JSON.stringify(String(value))}`);
  const range = WHOLE[builtIn];
  if (range !== undefined) {
    const whole =
      typeof value === "bigint" ? value : Number.isInteger(value) ? BigInt(value as number) : null;
    if (whole === null || whole < range[0] || whole > range[1]) throw misfit();
    return builtIn === BUILT_IN.int64 || builtIn === BUILT_IN.uint64 ? halvesOf(whole) : Number(whole);
  }
  const fitting = otherOf(builtIn, value);
  if (fitting === undefined) throw misfit();
  return fitting;
}

/** Undefined where the type cannot hold it. */
function otherOf(builtIn: number, value: TagValue): unknown {
  switch (builtIn) {
    case BUILT_IN.boolean:
      return typeof value === "boolean" ? value : undefined;
    case BUILT_IN.float:
    case BUILT_IN.double:
      return floatOf(builtIn, value);
    case BUILT_IN.string:
      return typeof value === "string" ? value : undefined;
    case BUILT_IN.localizedText:
      return typeof value === "string" ? { text: value } : undefined;
    case BUILT_IN.guid:
      return typeof value === "string" && GUID.test(value) ? value : undefined;
    case BUILT_IN.dateTime: {
      const date = new Date(typeof value === "string" ? value : Number.NaN);
      return Number.isNaN(date.getTime()) ? undefined : date;
    }
    default:
      return undefined;
  }
}

function floatOf(builtIn: number, value: TagValue): number | undefined {
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  const number = Number(value);
  if (typeof value === "bigint" && BigInt(number) !== value) return undefined;
  if (!Number.isFinite(number)) return undefined;
  return builtIn === BUILT_IN.double || Math.fround(number) === number ? number : undefined;
}

/** 64 bits as the library wants them: two halves, the high one first. */
function halvesOf(value: bigint): [high: number, low: number] {
  const bits = BigInt.asUintN(64, value);
  return [Number(bits >> 32n), Number(bits & 0xffff_ffffn)];
}
