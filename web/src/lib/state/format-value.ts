import type { Tag } from "@millrace/contract/api/plant";
import type { JsonValue } from "@millrace/contract/vocabulary/value";

/** What decides how many digits a tag shows: the same for every value of it, so that values do not dance. */
export type NumberTraits = Pick<Tag, "dataType" | "deadband" | "scale" | "range">;

const DECIMALS_MAX = 6;
/** A float says nothing about its own resolution; two decimals suit most plant signals. */
const DECIMALS_OF_FLOAT = 2;

function decimalsOfStep(step: number): number {
  for (let decimals = 0; decimals < DECIMALS_MAX; decimals++) {
    const scaled = step * 10 ** decimals;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * Math.max(1, scaled)) return decimals;
  }
  return DECIMALS_MAX;
}

/** Digits behind the point: from the deadband, else from the scale, else four digits over the range. */
export function decimalsOf(tag: NumberTraits): number {
  const whole = tag.dataType !== "float32" && tag.dataType !== "float64";
  if (whole && tag.scale === undefined) return 0;
  if (tag.deadband > 0) return decimalsOfStep(tag.deadband);
  if (whole && tag.scale !== undefined) return decimalsOfStep(tag.scale.factor);
  if (tag.range !== undefined && tag.range.high > tag.range.low) {
    const digits = 3 - Math.floor(Math.log10(tag.range.high - tag.range.low));
    return Math.min(DECIMALS_MAX, Math.max(0, digits));
  }
  return DECIMALS_OF_FLOAT;
}

const formats = new Map<number, Intl.NumberFormat>();
function fixed(decimals: number): Intl.NumberFormat {
  let format = formats.get(decimals);
  if (format === undefined) {
    format = new Intl.NumberFormat(undefined, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    formats.set(decimals, format);
  }
  return format;
}
const scientific = new Intl.NumberFormat(undefined, { notation: "scientific", maximumSignificantDigits: 4 });

/** A hyphen is too short to be seen from two metres; the minus sign has the width of a digit. */
const withMinus = (text: string): string => text.replace(/-/g, "−");

function formatNumber(value: number, decimals: number): string {
  const size = Math.abs(value);
  // Fixed digits would show such a number as a row of zeros, or as more digits than the value has.
  if (size !== 0 && (size >= 1e12 || size < 10 ** -decimals / 2)) return withMinus(scientific.format(value));
  return withMinus(fixed(decimals).format(value));
}

const NOT_FINITE: Record<string, string> = { NaN: "not a number", Infinity: "+∞", "-Infinity": "−∞" };

/** A value as text, without its unit. 64-bit integers arrive as decimal strings and keep every digit. */
export function formatValue(value: JsonValue, tag: NumberTraits): string {
  if (value === null) return "—";
  if (typeof value === "boolean") return value ? "On" : "Off";
  if (typeof value === "number") return formatNumber(value, decimalsOf(tag));
  if (tag.dataType === "text") return value;
  if (Object.hasOwn(NOT_FINITE, value)) return NOT_FINITE[value]!;
  return /^-?\d{1,20}$/.test(value) ? withMinus(fixed(0).format(BigInt(value))) : value;
}

/** Numbers up to this many characters have room beside their name on the narrowest phone. */
const UNBROKEN_CHARS = 12;

/** The parts between which a long number may go on in the next line: whole groups of digits. */
export const digitGroups = (text: string, { dataType }: Pick<Tag, "dataType">): string[] =>
  dataType === "text" || text.length <= UNBROKEN_CHARS ? [text] : text.split(/(?<=\d\D)(?=\d{3})/);

/** A value as a number for drawing; null when it has none. */
export function plotNumber(value: JsonValue): number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : null;
}
