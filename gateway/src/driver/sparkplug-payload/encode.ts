import type { TagValue } from "@millrace/contract/vocabulary/value";
import { TYPE } from "./payload.ts";
import { MessageWriter } from "./write.ts";

/** One metric to be told. What is left out is not written. */
export interface MetricToTell {
  name?: string;
  /** Whole, up to 2^53. */
  alias?: number;
  timeMs?: number;
  /** Number of its data type: says how the value is written, also where it is not told (`typeTold` false). */
  type: number;
  typeTold?: boolean;
  historical?: boolean;
  /** Null is told as such; so is a value that is none of its type. */
  value: TagValue;
  /** The property Quality; null tells none. */
  quality?: number | null;
  /** Why a value is not good, told beside its quality; empty for none. */
  reason?: string;
}

export interface PayloadToTell {
  timeMs: number;
  /** Null only for deaths and commands, which have none. */
  seq: number | null;
  metrics: readonly MetricToTell[];
}

/** A property of a metric by which people see our own reason; a host that does not know it shows it as it is. */
export const REASON_PROPERTY = "Reason";

export function encodePayload({ timeMs, seq, metrics }: PayloadToTell): Uint8Array {
  const writer = new MessageWriter();
  writer.whole(1, Math.floor(timeMs));
  for (const metric of metrics) writer.message(2, (inner) => writeMetric(inner, metric));
  if (seq !== null) writer.whole(3, seq);
  return writer.finish();
}

function writeMetric(to: MessageWriter, metric: MetricToTell): void {
  const { name, alias, timeMs, type, typeTold = true, historical = false, value } = metric;
  if (name !== undefined) to.text(1, name);
  if (alias !== undefined) to.whole(2, alias);
  if (timeMs !== undefined) to.whole(3, Math.floor(timeMs));
  if (typeTold) to.whole(4, type);
  if (historical) to.whole(5, 1);
  const written = value !== null && fits(type, value);
  if (!written) to.whole(7, 1);
  writeProperties(to, metric);
  if (written) writeValue(to, type, value);
}

function writeProperties(to: MessageWriter, { quality = null, reason = "" }: MetricToTell): void {
  if (quality === null) return;
  to.message(9, (set) => {
    set.text(1, "Quality");
    if (reason !== "") set.text(1, REASON_PROPERTY);
    set.message(2, (property) => {
      property.whole(1, TYPE.int32);
      property.whole(3, quality);
    });
    if (reason === "") return;
    set.message(2, (property) => {
      property.whole(1, TYPE.text);
      property.text(8, reason);
    });
  });
}

const WHOLE: Record<number, readonly [min: number, max: number]> = {
  [TYPE.int8]: [-0x80, 0x7f],
  [TYPE.int16]: [-0x8000, 0x7fff],
  [TYPE.int32]: [-0x8000_0000, 0x7fff_ffff],
  [TYPE.uint8]: [0, 0xff],
  [TYPE.uint16]: [0, 0xffff],
};

/** Whether a value is one of its type: nothing is cut or rounded to make it one. */
export function fits(type: number, value: TagValue): boolean {
  switch (type) {
    case TYPE.boolean:
      return typeof value === "boolean";
    case TYPE.text:
      return typeof value === "string";
    case TYPE.float:
    case TYPE.double:
      return typeof value === "number";
    case TYPE.int64:
      return isLong(value, -(2n ** 63n), 2n ** 63n - 1n);
    case TYPE.uint64:
      return isLong(value, 0n, 2n ** 64n - 1n);
    default: {
      const range = WHOLE[type];
      return (
        range !== undefined &&
        typeof value === "number" &&
        Number.isInteger(value) &&
        value >= range[0] &&
        value <= range[1]
      );
    }
  }
}

const isLong = (value: TagValue, min: bigint, max: bigint): boolean =>
  (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))) &&
  value >= min &&
  value <= max;

function writeValue(to: MessageWriter, type: number, value: TagValue): void {
  switch (type) {
    case TYPE.boolean:
      return to.whole(14, value === true ? 1 : 0);
    case TYPE.text:
      return to.text(15, String(value));
    case TYPE.float:
      return to.float(12, Number(value));
    case TYPE.double:
      return to.double(13, Number(value));
    case TYPE.int64:
    case TYPE.uint64:
      return to.whole(11, BigInt.asUintN(64, BigInt(value as bigint | number)));
    default:
      // Two's complement of 32 bits, whatever the size of the type (6.4.16).
      return to.whole(10, Number(value) >>> 0);
  }
}
