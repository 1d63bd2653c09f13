import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { type Found, fromJson, fromText, invalid } from "../../driver/payload/value.ts";
import { doubleOf, fieldsOf, floatOf, Garbled, textOf } from "./protobuf.ts";

/** Sparkplug B payloads (Eclipse Sparkplug 3.0, 6.4) ↔ what we use of them. Plain and JSON payloads are `driver/payload/`. */

/** Most metrics looked at in one message; a birth of a real edge node has some thousands. */
export const METRICS_MAX = 20_000;

export interface Metric {
  /** Empty where the message names it by its alias alone. */
  name: string;
  alias: bigint | null;
  timeMs: number | null;
  /** Number of its data type; 0 where the message leaves it out. */
  type: number;
  historical: boolean;
  isNull: boolean;
  raw: { as: "bits" | "float" | "double" | "boolean"; bits: bigint } | { as: "text"; text: string } | null;
  /** The property Quality: 0 bad, 192 good, 500 stale (6.4.7); null where there is none. */
  quality: number | null;
}

export interface SparkplugPayload {
  timeMs: number | null;
  seq: number | null;
  metrics: Metric[];
}

const ms = (bits: bigint): number | null => {
  const value = Number(bits);
  return value > 0 && value <= 253_402_300_799_999 ? value : null;
};

/** @throws Garbled when the bytes are no such payload */
export function decodePayload(bytes: Uint8Array): SparkplugPayload {
  const payload: SparkplugPayload = { timeMs: null, seq: null, metrics: [] };
  for (const field of fieldsOf(bytes)) {
    if (field.no === 1) payload.timeMs = ms(field.bits);
    else if (field.no === 3) payload.seq = field.bits <= 255n ? Number(field.bits) : null;
    else if (field.no === 2) {
      if (payload.metrics.length >= METRICS_MAX) throw new Garbled(`more than ${METRICS_MAX} metrics`);
      payload.metrics.push(decodeMetric(field.bytes));
    }
  }
  return payload;
}

function decodeMetric(bytes: Uint8Array): Metric {
  const metric: Metric = {
    name: "",
    alias: null,
    timeMs: null,
    type: 0,
    historical: false,
    isNull: false,
    raw: null,
    quality: null,
  };
  for (const { no, bits, bytes: inner } of fieldsOf(bytes)) {
    switch (no) {
      case 1:
        metric.name = textOf(inner);
        break;
      case 2:
        metric.alias = bits;
        break;
      case 3:
        metric.timeMs = ms(bits);
        break;
      case 4:
        metric.type = Number(bits & 0xffff_ffffn);
        break;
      case 5:
        metric.historical = bits !== 0n;
        break;
      case 7:
        metric.isNull = bits !== 0n;
        break;
      case 9:
        metric.quality = qualityIn(inner);
        break;
      case 10:
      case 11:
        metric.raw = { as: "bits", bits };
        break;
      case 12:
        metric.raw = { as: "float", bits };
        break;
      case 13:
        metric.raw = { as: "double", bits };
        break;
      case 14:
        metric.raw = { as: "boolean", bits };
        break;
      case 15:
        metric.raw = { as: "text", text: textOf(inner) };
        break;
    }
  }
  return metric;
}

/** The value of the property Quality in a property set. */
function qualityIn(bytes: Uint8Array): number | null {
  const keys: string[] = [];
  const values: (number | null)[] = [];
  for (const { no, bytes: inner } of fieldsOf(bytes)) {
    if (no === 1) keys.push(textOf(inner));
    if (no === 2) {
      let value: number | null = null;
      for (const { no: one, bits } of fieldsOf(inner))
        if (one === 3 || one === 4) value = Number(BigInt.asIntN(32, bits));
      values.push(value);
    }
  }
  return values[keys.indexOf("Quality")] ?? null;
}

/** Bits of the whole-number types by number (6.4.16): Int8 to Int64 are 1 to 4, UInt8 to UInt64 5 to 8. */
const SIZES = [0, 8, 16, 32, 64, 8, 16, 32, 64] as const;
const TYPE = { float: 9, double: 10, boolean: 11, text: 12, dateTime: 13, longText: 14, uuid: 15 } as const;

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

/** The command that asks an edge node for its birth (6.4.21): `Node Control/Rebirth` = true. */
export function rebirthPayload(timeMs: number): Uint8Array {
  const name = new TextEncoder().encode("Node Control/Rebirth");
  const time = varint(BigInt(timeMs));
  const metric = [0x0a, name.length, ...name, 0x18, ...time, 0x20, TYPE.boolean, 0x70, 1];
  return Uint8Array.from([0x08, ...time, 0x12, metric.length, ...metric]);
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}
