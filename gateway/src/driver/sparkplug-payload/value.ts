import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { type Found, fromJson, fromText, invalid } from "../payload/value.ts";
import { type Metric, TYPE } from "./payload.ts";
import { doubleOf, floatOf } from "./read.ts";

/** Bits of the whole-number types by number (6.4.16): Int8 to Int64 are 1 to 4, UInt8 to UInt64 5 to 8. */
const SIZES = [0, 8, 16, 32, 64, 8, 16, 32, 64] as const;

/** The value of a metric as its type says → value of the tag's type. */
export function metricValue({ raw, isNull }: Metric, type: number, dataType: DataType): Found {
  if (isNull) return invalid("the value is null");
  if (raw === null) return invalid(`a value of type ${type}, which is no single value`);
  const native = nativeOf(raw, type);
  if (native === null) return invalid(`a value that contradicts its type ${type}`);
  // The edge node says a number; a text that looks like one is none.
  if (typeof native === "string") {
    return dataType === "text"
      ? fromText(native, dataType)
      : invalid("a text, where the tag wants another type");
  }
  if (typeof native === "boolean" && dataType !== "boolean" && dataType !== "text")
    return invalid("true or false, no number");
  if (typeof native === "number" && !Number.isFinite(native)) {
    const floats = dataType === "float32" || dataType === "float64";
    return floats ? { value: native, quality: 0, why: null } : invalid(`${native}`);
  }
  return fromJson(native, dataType);
}

function nativeOf(raw: NonNullable<Metric["raw"]>, type: number): TagValue {
  if (raw.as === "text")
    return type === TYPE.text || type === TYPE.longText || type === TYPE.uuid ? raw.text : null;
  if (raw.as === "float") return type === TYPE.float ? floatOf(raw.bits) : null;
  if (raw.as === "double") return type === TYPE.double ? doubleOf(raw.bits) : null;
  if (raw.as === "boolean") return type === TYPE.boolean ? raw.bits !== 0n : null;
  if (type === TYPE.dateTime) return narrow(raw.bits);
  const bitsOfType = SIZES[type] ?? 0;
  if (bitsOfType === 0) return null;
  return narrow(type <= 4 ? signed(raw.bits, bitsOfType) : unsigned(raw.bits, bitsOfType));
}

/** Two's complement, written short (as its type) or filled up to 32 or 64 bits; null when it does not fit. */
function signed(bits: bigint, size: number): bigint | null {
  const value = BigInt.asIntN(size, bits);
  const fits = [size, 32, 64].some((length) => length >= size && BigInt.asUintN(length, value) === bits);
  return fits ? value : null;
}

const unsigned = (bits: bigint, size: number): bigint | null => (bits < 1n << BigInt(size) ? bits : null);

function narrow(value: bigint | null): bigint | number | null {
  if (value === null) return null;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
