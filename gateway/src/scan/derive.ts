import { QUALITY, type QualityCode } from "@millrace/contract/vocabulary/quality";
import {
  type DataType,
  type TagValue,
  type ValueKind,
  valueKindOf,
} from "@millrace/contract/vocabulary/value";
import type { ManifestTag } from "@millrace/contract/wire/manifest";

/** What turns a raw reading of one tag into its value, resolved once when the manifest is applied. */
export interface Derivation {
  kind: ValueKind;
  scaled: boolean;
  factor: number;
  offset: number;
  /** ±Infinity where the tag has no range. */
  low: number;
  high: number;
}

export function derivationOf(tag: Pick<ManifestTag, "dataType" | "scale" | "range">): Derivation {
  // Scaling a text or a switch has no meaning, so it is not applied to them.
  const scaled = tag.scale !== undefined && tag.dataType !== "boolean" && tag.dataType !== "text";
  return {
    kind: valueKindOf(tag.dataType, scaled),
    scaled,
    factor: scaled ? (tag.scale?.factor ?? 1) : 1,
    offset: scaled ? (tag.scale?.offset ?? 0) : 0,
    low: tag.range?.low ?? Number.NEGATIVE_INFINITY,
    high: tag.range?.high ?? Number.POSITIVE_INFINITY,
  };
}

/**
 * Raw value → value of the tag's kind; null when the driver gave something that kind cannot hold.
 * int64 and uint64 stay bigint, exact over their whole range, unless the tag is scaled.
 */
export function deriveValue(d: Derivation, raw: TagValue): TagValue {
  switch (d.kind) {
    case "double": {
      if (typeof raw === "number") return d.scaled ? raw * d.factor + d.offset : raw;
      if (typeof raw === "bigint" && d.scaled) return Number(raw) * d.factor + d.offset;
      return null;
    }
    case "int64":
    case "uint64":
      if (typeof raw === "bigint") return raw;
      return typeof raw === "number" && Number.isSafeInteger(raw) ? BigInt(raw) : null;
    case "boolean":
      return typeof raw === "boolean" ? raw : null;
    case "text":
      return typeof raw === "string" ? raw : null;
  }
}

const WHOLE: Partial<Record<DataType, readonly [min: number, max: number]>> = {
  int8: [-0x80, 0x7f],
  uint8: [0, 0xff],
  int16: [-0x8000, 0x7fff],
  uint16: [0, 0xffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  uint32: [0, 0xffff_ffff],
};

/** The way back: a tag's value → what the device shall hold; null when it cannot. */
export function rawOf(d: Derivation, dataType: DataType, value: TagValue): TagValue {
  if (d.kind !== "double") return value;
  if (typeof value !== "number") return null;
  const raw = d.scaled ? (value - d.offset) / d.factor : value;
  if (!Number.isFinite(raw)) return null;
  if (dataType === "float64") return raw;
  if (dataType === "float32") return Number.isFinite(Math.fround(raw)) ? Math.fround(raw) : null;
  // A scaled whole number takes the nearest step; the limits keep to the tag's own.
  const whole = d.scaled ? Math.round(raw) : raw;
  if (dataType === "int64" || dataType === "uint64")
    return Number.isSafeInteger(whole) ? BigInt(whole) : null;
  const [min, max] = WHOLE[dataType] ?? [1, 0];
  return Number.isInteger(whole) && whole >= min && whole <= max ? whole : null;
}

/**
 * Quality after deriving. A non-finite number keeps its bits and is marked bad: the plant shall see that the device
 * sent NaN, and nobody shall calculate with it.
 */
export function deriveQuality(d: Derivation, value: TagValue, quality: QualityCode): QualityCode {
  if (value === null) return quality >= 128 ? quality : QUALITY["bad.valueInvalid"];
  if (quality !== QUALITY.good) return quality;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return QUALITY["bad.notFinite"];
    return value < d.low || value > d.high ? QUALITY["uncertain.outOfRange"] : quality;
  }
  if (typeof value === "bigint") {
    return value < d.low || value > d.high ? QUALITY["uncertain.outOfRange"] : quality;
  }
  return quality;
}
