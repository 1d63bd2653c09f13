import { PENS_MAX, type TrendPen } from "@millrace/contract/api/trend";
import { type ChartRange, LENGTH_MS_MAX, LENGTH_MS_MIN } from "./range.ts";

export type Layout = "shared" | "stacked";
/** All that a link to a trend says. */
export interface TrendState {
  pens: TrendPen[];
  range: ChartRange;
  layout: Layout;
  /** How far back the second line of each pen lies; null for none. */
  compareMs: number | null;
}

export const EMPTY_STATE: TrendState = {
  pens: [],
  range: { kind: "live", lengthMs: 3_600_000 },
  layout: "shared",
  compareMs: null,
};

const NUMBER = "(-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)?";
/** tagNo, style, hidden, low, high: `12`, `12.3`, `12.3h`, `12.3~0~100`, `12.3~~100`. */
const PEN = new RegExp(`^([1-9]\\d{0,9})(?:\\.([0-7]))?(h)?(?:~${NUMBER}~${NUMBER})?$`);

/** First place of the palette that no pen has. */
export function freeStyle(pens: readonly TrendPen[]): number {
  const taken = new Set(pens.map((pen) => pen.style));
  for (let style = 0; style < PENS_MAX; style++) if (!taken.has(style)) return style;
  return 0;
}

function penOf(text: string, before: readonly TrendPen[]): TrendPen | null {
  const match = PEN.exec(text);
  if (match === null) return null;
  const [, tagNo, style, hidden, low, high] = match;
  return {
    tagNo: Number(tagNo),
    style: style === undefined ? freeStyle(before) : Number(style),
    ...(hidden === undefined ? {} : { hidden: true }),
    ...(low === undefined ? {} : { low: Number(low) }),
    ...(high === undefined ? {} : { high: Number(high) }),
  };
}

function pensOf(text: string): TrendPen[] {
  const pens: TrendPen[] = [];
  for (const part of text.split(",")) {
    const pen = penOf(part, pens);
    if (pen === null || pens.length >= PENS_MAX || pens.some((other) => other.tagNo === pen.tagNo)) continue;
    pens.push(pen);
  }
  return pens;
}

function rangeOf(search: URLSearchParams): ChartRange {
  const fromMs = Date.parse(search.get("from") ?? "");
  const toMs = Date.parse(search.get("to") ?? "");
  if (toMs - fromMs >= LENGTH_MS_MIN && toMs - fromMs <= LENGTH_MS_MAX)
    return { kind: "fixed", fromMs, toMs };
  const lengthMs = Number(search.get("last")) * 1_000;
  if (lengthMs >= LENGTH_MS_MIN && lengthMs <= LENGTH_MS_MAX) return { kind: "live", lengthMs };
  return EMPTY_STATE.range;
}

/** Reads a link. What it does not understand is left out: an old link still opens. */
export function parseState(text: string): TrendState {
  const search = new URLSearchParams(text);
  const compareMs = Math.round(Number(search.get("compare")) * 1_000);
  return {
    pens: pensOf(search.get("pens") ?? ""),
    range: rangeOf(search),
    layout: search.get("layout") === "stacked" ? "stacked" : "shared",
    compareMs: compareMs >= LENGTH_MS_MIN && compareMs <= LENGTH_MS_MAX ? compareMs : null,
  };
}

function penText(pen: TrendPen): string {
  const limits = pen.low === undefined && pen.high === undefined ? "" : `~${pen.low ?? ""}~${pen.high ?? ""}`;
  // A plus sign means a space in an address.
  return `${pen.tagNo}.${pen.style}${pen.hidden === true ? "h" : ""}${limits.replaceAll("+", "")}`;
}

/** Writes a link; `parseState` reads it back to the same state. Empty for the empty state. */
export function formatState(state: TrendState): string {
  const parts: string[] = [];
  if (state.pens.length > 0) parts.push(`pens=${state.pens.map(penText).join(",")}`);
  if (state.range.kind === "live") parts.push(`last=${state.range.lengthMs / 1_000}`);
  else {
    parts.push(`from=${new Date(state.range.fromMs).toISOString()}`);
    parts.push(`to=${new Date(state.range.toMs).toISOString()}`);
  }
  if (state.layout === "stacked") parts.push("layout=stacked");
  if (state.compareMs !== null) parts.push(`compare=${state.compareMs / 1_000}`);
  return parts.join("&");
}
