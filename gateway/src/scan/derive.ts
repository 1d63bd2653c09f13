import { QUALITY, type QualityCode } from "@millrace/contract/vocabulary/quality";
import { type TagValue, type ValueKind, valueKindOf } from "@millrace/contract/vocabulary/value";
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
