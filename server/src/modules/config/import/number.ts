import type { Decimal } from "./sheet.ts";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/;
/** One comma and three digits: fifteen hundred to some, one and a half to others. */
const AMBIGUOUS = /^[+-]?[1-9]\d{0,2},\d{3}$/;

/** Null for what is no number with this decimal sign. */
export function numberOf(text: string, decimal: Decimal): number | null {
  const dotted = decimal === "," ? text.replaceAll(".", "?").replace(",", ".") : text;
  if (!NUMBER.test(dotted)) return null;
  const number = Number(dotted);
  return Number.isFinite(number) ? number : null;
}

/**
 * The decimal sign of a file by its numbers. A comma is one only if no number has a point, and if at least one cannot be
 * a thousand; null when that stays open.
 */
export function decimalOf(numbers: Iterable<string>): Decimal | null {
  let commas = 0;
  let clear = 0;
  for (const text of numbers) {
    if (numberOf(text, ".") !== null && text.includes(".")) return ".";
    if (!text.includes(",") || numberOf(text, ",") === null) continue;
    commas += 1;
    if (!AMBIGUOUS.test(text)) clear += 1;
  }
  if (commas === 0) return ".";
  return clear > 0 ? "," : null;
}
