import { QUALITY, type QualityCode } from "@millrace/contract/vocabulary/quality";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import { WHOLE_RANGE } from "@millrace/contract/vocabulary/whole-range";
import { LIMITS } from "@millrace/contract/wire/limits";

/** A value that was found in a message, or why there is none. Never a guess. */
export interface Found {
  value: TagValue;
  quality: QualityCode;
  /** What was wrong, as the end of a sentence; null when nothing was. */
  why: string | null;
}

const good = (value: TagValue): Found => ({ value, quality: QUALITY.good, why: null });
export const invalid = (why: string): Found => ({ value: null, quality: QUALITY["bad.valueInvalid"], why });

/** `1.5`, `-2`, `3e4`. No thousands, no comma, no hexadecimal: who reads `1,5` as 15 moves a valve. */
const DECIMAL = /^[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?$/;
const WHOLE_TEXT = /^[+-]?\d{1,40}(\.0*)?$/;
const NOT_FINITE: Record<string, number> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "+inf": Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  "+infinity": Number.POSITIVE_INFINITY,
  "-infinity": Number.NEGATIVE_INFINITY,
};
const SWITCH: Record<string, boolean> = {
  true: true,
  false: false,
  "1": true,
  "0": false,
  on: true,
  off: false,
};

/** As much of a foreign text as a message may repeat. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;
export const quoted = (text: string): string =>
  `"${text.slice(0, 40).replace(CONTROL, "·")}${text.length > 40 ? "…" : ""}"`;

/** A text of a message → value of this type. */
export function fromText(text: string, dataType: DataType): Found {
  if (dataType === "text") return asText(text);
  const trimmed = text.trim();
  const word = trimmed.toLowerCase();
  if (trimmed === "") return invalid("the message is empty");
  if (dataType === "boolean") {
    const value = Object.hasOwn(SWITCH, word) ? SWITCH[word] : undefined;
    return value === undefined ? invalid(`${quoted(trimmed)} is neither true nor false`) : good(value);
  }
  const bounds = WHOLE_RANGE[dataType];
  if (bounds !== undefined) {
    if (!WHOLE_TEXT.test(trimmed)) return invalid(`${quoted(trimmed)} is no whole number`);
    return whole(BigInt(trimmed.replace(/^\+|\.0*$/g, "")), dataType, bounds);
  }
  if (Object.hasOwn(NOT_FINITE, word)) return good(NOT_FINITE[word]!);
  return DECIMAL.test(trimmed)
    ? float(Number(trimmed), dataType)
    : invalid(`${quoted(trimmed)} is no number`);
}

/** A text that can be stored and shown everywhere. A part of one would be another text, so nothing is cut off. */
function asText(text: string): Found {
  if (text.length > LIMITS.textBytesMax || Buffer.byteLength(text) > LIMITS.textBytesMax)
    return invalid(`the text is longer than ${LIMITS.textBytesMax} bytes`);
  if (!text.isWellFormed() || text.includes("\0")) return invalid("the text holds a character that is none");
  return good(text);
}

/** What stands in a JSON document → value of this type. Whole numbers too large for a double come as bigint. */
export function fromJson(found: unknown, dataType: DataType): Found {
  if (found === null) return invalid("the value is null");
  switch (typeof found) {
    case "string":
      return fromText(found, dataType);
    case "boolean":
      if (dataType === "boolean") return good(found);
      return dataType === "text" ? good(String(found)) : invalid(`${found} is no number`);
    case "bigint":
    case "number":
      return fromNumber(found, dataType);
    default:
      return invalid(Array.isArray(found) ? "a list stands there" : "an object stands there");
  }
}

function fromNumber(found: number | bigint, dataType: DataType): Found {
  if (dataType === "text") return good(String(found));
  if (dataType === "boolean") {
    return found === 0 || found === 1 ? good(found === 1) : invalid(`${found} is neither true nor false`);
  }
  const bounds = WHOLE_RANGE[dataType];
  if (bounds === undefined) return float(Number(found), dataType);
  if (typeof found === "bigint") return whole(found, dataType, bounds);
  // A double beyond 2^53 may have been another number on its way here.
  if (!Number.isSafeInteger(found)) return invalid(`${found} is no exact whole number`);
  return whole(BigInt(found), dataType, bounds);
}

function whole(value: bigint, dataType: DataType, [low, high]: readonly [bigint, bigint]): Found {
  if (value < low || value > high) return invalid(`${value} does not fit ${dataType}`);
  return good(dataType === "int64" || dataType === "uint64" ? value : Number(value));
}

function float(value: number, dataType: DataType): Found {
  // The text said a number, and it is too large for any: not the same as a device that sends infinity.
  if (!Number.isFinite(value)) return invalid("the number is too large");
  return good(dataType === "float32" ? Math.fround(value) : value);
}
