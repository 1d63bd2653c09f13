import type { TrendRange } from "@millrace/contract/api/trend";

/** What the time axis shows: a length that ends now, or a fixed stretch. */
export type ChartRange = { kind: "live"; lengthMs: number } | { kind: "fixed"; fromMs: number; toMs: number };
export interface TimeWindow {
  fromMs: number;
  toMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** Shorter says nothing at the fastest scan (50 ms); longer than any plant keeps. */
export const LENGTH_MS_MIN = 1_000;
export const LENGTH_MS_MAX = 20 * 366 * DAY_MS;

export const PRESETS: readonly { id: string; label: string; lengthMs: number }[] = [
  { id: "15m", label: "15 min", lengthMs: 15 * MINUTE_MS },
  { id: "1h", label: "1 h", lengthMs: HOUR_MS },
  { id: "8h", label: "8 h", lengthMs: 8 * HOUR_MS },
  { id: "24h", label: "24 h", lengthMs: DAY_MS },
  { id: "7d", label: "7 d", lengthMs: 7 * DAY_MS },
  { id: "30d", label: "30 d", lengthMs: 30 * DAY_MS },
];

/** Hours of the plant's clock at which a shift begins, until shifts can be configured. */
export const SHIFT_STARTS_H: readonly number[] = [6, 14, 22];
export const SHIFT_MS = 8 * HOUR_MS;

const atHour = (dayMs: number, days: number, hour: number): number => {
  const date = new Date(dayMs);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days, hour).getTime();
};

/** The shift that a moment lies in. On the days the clocks change it is an hour shorter or longer. */
export function shiftAt(timeMs: number): TimeWindow {
  const starts = [-1, 0, 1].flatMap((days) => SHIFT_STARTS_H.map((hour) => atHour(timeMs, days, hour)));
  const i = starts.findLastIndex((startMs) => startMs <= timeMs);
  return { fromMs: starts[i]!, toMs: starts[i + 1]! };
}

export function windowOf(range: ChartRange, nowMs: number): TimeWindow {
  if (range.kind === "fixed") return { fromMs: range.fromMs, toMs: range.toMs };
  return { fromMs: nowMs - range.lengthMs, toMs: nowMs };
}

export const lengthOf = ({ fromMs, toMs }: TimeWindow): number => toMs - fromMs;

const fixed = (fromMs: number, toMs: number): ChartRange => ({
  kind: "fixed",
  fromMs: Math.round(fromMs),
  toMs: Math.round(toMs),
});

/** Moved by a part of its length; positive moves to later times. */
export function panned(window: TimeWindow, share: number): ChartRange {
  const byMs = lengthOf(window) * share;
  return fixed(window.fromMs + byMs, window.toMs + byMs);
}

/** Zoomed so that the moment under the fingers stays there. `factor` above 1 shows less. */
export function zoomed(window: TimeWindow, atShare: number, factor: number): ChartRange {
  const length = lengthOf(window);
  const newLength = Math.min(LENGTH_MS_MAX, Math.max(LENGTH_MS_MIN, length / factor));
  const atMs = window.fromMs + length * atShare;
  return fixed(atMs - newLength * atShare, atMs + newLength * (1 - atShare));
}

/** The stretch between two places of the chart, whichever was named first. */
export function between(window: TimeWindow, share: number, otherShare: number): ChartRange {
  const length = lengthOf(window);
  const fromMs = window.fromMs + length * Math.min(share, otherShare);
  const toMs = window.fromMs + length * Math.max(share, otherShare);
  return toMs - fromMs >= LENGTH_MS_MIN ? fixed(fromMs, toMs) : fixed(window.fromMs, window.toMs);
}

export const sameRange = (a: ChartRange, b: ChartRange): boolean =>
  a.kind === "live"
    ? b.kind === "live" && a.lengthMs === b.lengthMs
    : b.kind === "fixed" && a.fromMs === b.fromMs && a.toMs === b.toMs;

export const rangeToApi = (range: ChartRange): TrendRange =>
  range.kind === "live"
    ? range
    : { kind: "fixed", from: new Date(range.fromMs).toISOString(), to: new Date(range.toMs).toISOString() };

export const rangeOfApi = (range: TrendRange): ChartRange =>
  range.kind === "live"
    ? range
    : { kind: "fixed", fromMs: Date.parse(range.from), toMs: Date.parse(range.to) };

const two = (n: number): string => String(n).padStart(2, "0");

/** A moment as a native date-time input holds it, in this device's zone. */
export function toInput(timeMs: number): string {
  const d = new Date(timeMs);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** The other way; null when it is no moment. */
export function ofInput(text: string): number | null {
  const ms = new Date(text).getTime();
  return Number.isNaN(ms) ? null : ms;
}
