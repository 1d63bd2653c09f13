import { fieldsOf, Garbled, textOf } from "./read.ts";

/** Sparkplug B payloads (Eclipse Sparkplug 3.0, 6.4), as far as single values go: no data sets, templates, bytes. */

/** Most metrics looked at in one message; a birth of a real edge node has some thousands. */
export const METRICS_MAX = 20_000;

/** Numbers of the data types of single values (6.4.16). */
export const TYPE = {
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  uint8: 5,
  uint16: 6,
  uint32: 7,
  uint64: 8,
  float: 9,
  double: 10,
  boolean: 11,
  text: 12,
  dateTime: 13,
  longText: 14,
  uuid: 15,
} as const;

/** Values the property Quality may have (6.4.9). */
export const SPARKPLUG_QUALITY = { bad: 0, good: 192, stale: 500 } as const;

/** The metric by which a host asks an edge node for its births (6.4.19). */
export const REBIRTH_METRIC = "Node Control/Rebirth";

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
