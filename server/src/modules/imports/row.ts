import { QUALITY, type QualityCode, qualityLevel } from "@millrace/contract/vocabulary/quality";
import { type DataType, type TagValue, valueKindOf } from "@millrace/contract/vocabulary/value";
import { WHOLE_RANGE } from "@millrace/contract/vocabulary/whole-range";
import { LIMITS } from "@millrace/contract/wire/limits";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

/** A row as a file says it, before anything of it is believed. */
export const ImportRow = Type.Object(
  {
    tag: Type.Union([Type.String({ minLength: 1, maxLength: 1_000 }), Type.Integer({ minimum: 1 })]),
    time: Type.Union([Type.String({ minLength: 1, maxLength: 40 }), Type.Integer()]),
    value: Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]),
    quality: Type.Optional(Type.String({ maxLength: 60 })),
  },
  { additionalProperties: true },
);
export type ImportRow = Static<typeof ImportRow>;

/** What is wrong with a field of a row. */
export interface RowProblem {
  field: string;
  found: string;
  expected: string;
}

const FOUND_MAX = 200;

/** Cut to what a report holds, whole characters only. */
export const shownAs = (value: unknown): string => {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  return Array.from(text === "" ? "nothing" : text)
    .slice(0, FOUND_MAX / 2)
    .join("");
};

export const problem = (field: string, value: unknown, expected: string): RowProblem => ({
  field,
  found: shownAs(value),
  expected,
});

const EXPECTED: Record<string, string> = {
  tag: "the number or the path of a tag",
  time: "an instant with its zone, or whole ms since 1970 UTC",
  value: "a value",
  quality: "a quality such as good or bad.deviceTimeout",
};

/** The row, or what keeps it from being one. */
export function checkRow(row: unknown): ImportRow | RowProblem {
  if (Value.Check(ImportRow, row)) return row;
  const error = Value.Errors(ImportRow, row).First();
  const field = error?.path.split("/")[1] ?? "";
  if (field === "") return problem("row", row, "an object with tag, time and value");
  return problem(field, error?.value, EXPECTED[field] ?? "something else");
}

const ZONED = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;
const TIME_MS_MAX = 8.64e15;

/** Null for what is no instant. A time without a zone could be anywhere, so it is none. */
export function timeOf(time: string | number): number | null {
  const isWhole = typeof time === "number" || /^-?\d{1,16}$/.test(time);
  const ms = isWhole ? Number(time) : ZONED.test(time) ? Date.parse(time.replace(" ", "T")) : Number.NaN;
  return Number.isInteger(ms) && Math.abs(ms) <= TIME_MS_MAX ? ms : null;
}

/** Null for a name nobody knows. An empty cell of a file without that knowledge means good. */
export function qualityOf(name: string | undefined): QualityCode | null {
  if (name === undefined || name === "") return QUALITY.good;
  return Object.hasOwn(QUALITY, name) ? QUALITY[name as keyof typeof QUALITY] : null;
}

/** What a tag takes. */
export interface ImportTag {
  tagNo: number;
  dataType: DataType;
  scaled: boolean;
  /** Older samples are not kept. */
  keptFromMs: number;
}

/**
 * The value in the tag's kind; undefined for what is none of it. A bad sample may have none.
 * @param decimalComma whether a number may have a comma
 */
export function valueOfRow(
  value: ImportRow["value"],
  { dataType, scaled }: ImportTag,
  quality: QualityCode,
  decimalComma: boolean,
): TagValue | undefined {
  if (value === null || (value === "" && dataType !== "text"))
    return qualityLevel(quality) === "bad" ? null : undefined;
  const kind = valueKindOf(dataType, scaled);
  if (kind === "text") return typeof value === "string" ? textOf(value) : undefined;
  if (kind === "boolean") return booleanOf(value);
  const range = scaled ? undefined : WHOLE_RANGE[dataType];
  return range === undefined ? doubleOf(value, decimalComma) : wholeOf(value, range, kind !== "double");
}

const textOf = (value: string): string | undefined =>
  value.isWellFormed() && Buffer.byteLength(value) <= LIMITS.textBytesMax ? value : undefined;

function booleanOf(value: string | number | boolean): boolean | undefined {
  if (typeof value === "boolean") return value;
  const text = String(value).toLowerCase();
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : undefined;
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/;
const NOT_FINITE: Record<string, number> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

function doubleOf(value: string | number | boolean, decimalComma: boolean): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return undefined;
  if (Object.hasOwn(NOT_FINITE, value)) return NOT_FINITE[value];
  const text = decimalComma ? value.replace(",", ".") : value;
  if (!DECIMAL.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

function wholeOf(
  value: string | number | boolean,
  [least, greatest]: readonly [bigint, bigint],
  asBigint: boolean,
): number | bigint | undefined {
  // A number above 2^53 was rounded by whoever wrote it as one.
  if (typeof value === "boolean" || (typeof value === "number" && !Number.isSafeInteger(value)))
    return undefined;
  const text = String(value);
  if (!/^[+-]?\d{1,20}$/.test(text)) return undefined;
  const whole = BigInt(text.replace("+", ""));
  if (whole < least || whole > greatest) return undefined;
  return asBigint ? whole : Number(whole);
}

/** What a value of the tag looks like. */
export function expectedValue({ dataType, scaled }: ImportTag): string {
  if (dataType === "text") return `text of at most ${LIMITS.textBytesMax} bytes`;
  if (dataType === "boolean") return "true, false, 1 or 0";
  const range = scaled ? undefined : WHOLE_RANGE[dataType];
  return range === undefined ? "a number" : `a whole number from ${range[0]} to ${range[1]} (${dataType})`;
}
