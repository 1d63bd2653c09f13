import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { WHOLE_RANGE } from "@millrace/contract/vocabulary/whole-range";

/** Built-in types of OPC 10000-6, 5.1.2, by their number. */
export const BUILT_IN = {
  boolean: 1,
  sbyte: 2,
  byte: 3,
  int16: 4,
  uint16: 5,
  int32: 6,
  uint32: 7,
  int64: 8,
  uint64: 9,
  float: 10,
  double: 11,
  string: 12,
  dateTime: 13,
  guid: 14,
  xml: 16,
  localizedText: 21,
} as const;

/** A value as the library hands it over; only what we look at. */
export interface VariantLike {
  dataType: number;
  /** 0 scalar, 1 array, 2 matrix. */
  arrayType: number;
  value: unknown;
  /** Of a matrix. */
  dimensions?: number[] | null;
}

/** Our type for a built-in type; null when no tag can hold it. */
export function dataTypeOf(builtIn: number): DataType | null {
  switch (builtIn) {
    case BUILT_IN.boolean:
      return "boolean";
    case BUILT_IN.sbyte:
      return "int8";
    case BUILT_IN.byte:
      return "uint8";
    case BUILT_IN.int16:
      return "int16";
    case BUILT_IN.uint16:
      return "uint16";
    case BUILT_IN.int32:
      return "int32";
    case BUILT_IN.uint32:
      return "uint32";
    case BUILT_IN.int64:
      return "int64";
    case BUILT_IN.uint64:
      return "uint64";
    case BUILT_IN.float:
      return "float32";
    case BUILT_IN.double:
      return "float64";
    case BUILT_IN.string:
    case BUILT_IN.dateTime:
    case BUILT_IN.guid:
    case BUILT_IN.localizedText:
      return "text";
    default:
      return null;
  }
}

/** The one element that was asked for, however the library lays out arrays. */
function only(variant: VariantLike): unknown {
  const list = variant.value as ArrayLike<unknown> | null;
  return list !== null && typeof list === "object" && list.length === 1 ? list[0] : undefined;
}

/**
 * Variant → value of the tag's type, or null where that type cannot hold it exactly: a rounded or cut value would be a
 * wrong value. @param element whether one element of an array was asked for
 */
export function tagValueOf(variant: VariantLike, dataType: DataType, element: boolean): TagValue {
  const isArray = variant.arrayType !== 0;
  // A table of bytes may come as one byte string; its element is still one byte.
  if (isArray !== element) return null;
  const raw = element ? only(variant) : variant.value;
  if (raw === undefined || raw === null) return null;
  switch (dataType) {
    case "boolean":
      return typeof raw === "boolean" ? raw : null;
    case "text":
      return textOf(variant.dataType, raw);
    case "float32":
    case "float64":
      return numberOf(variant.dataType, raw);
    default:
      return integerOf(variant.dataType, raw, dataType);
  }
}

/** The library holds 64-bit integers as two halves of 32 bits, the high one first. */
function wide(builtIn: number, raw: unknown): bigint | null {
  const [high, low] = raw as [unknown, unknown];
  if (typeof high !== "number" || typeof low !== "number") return null;
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return builtIn === BUILT_IN.int64 ? BigInt.asIntN(64, bits) : bits;
}

const isWide = (builtIn: number): boolean => builtIn === BUILT_IN.int64 || builtIn === BUILT_IN.uint64;

function numberOf(builtIn: number, raw: unknown): number | null {
  if (isWide(builtIn)) {
    const exact = wide(builtIn, raw);
    return exact !== null && BigInt(Number(exact)) === exact ? Number(exact) : null;
  }
  return typeof raw === "number" ? raw : null;
}

function integerOf(builtIn: number, raw: unknown, dataType: DataType): TagValue {
  const whole = typeof raw === "number" && Number.isInteger(raw) ? BigInt(raw) : null;
  const exact = isWide(builtIn) ? wide(builtIn, raw) : whole;
  const range = WHOLE_RANGE[dataType];
  if (exact === null || range === undefined || exact < range[0] || exact > range[1]) return null;
  return dataType === "int64" || dataType === "uint64" ? exact : Number(exact);
}

function textOf(builtIn: number, raw: unknown): string | null {
  if (typeof raw === "string") return raw;
  if (raw instanceof Date) return Number.isNaN(raw.getTime()) ? null : raw.toISOString();
  if (builtIn === BUILT_IN.localizedText) return (raw as { text?: string | null }).text ?? null;
  if (isWide(builtIn)) return wide(builtIn, raw)?.toString() ?? null;
  if (typeof raw === "boolean" || typeof raw === "number") return String(raw);
  return null;
}
