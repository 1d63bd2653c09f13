import { assert } from "../std/assert.ts";
import type { OperatingHours } from "../vocabulary/operating-hours.ts";
import { MINUTES_A_WEEK, weekRanges } from "./week.ts";

const MINUTE_MS = 60_000;
const WEEK_MS = MINUTES_A_WEEK * MINUTE_MS;
/** 1970-01-05T00:00 of any clock on a wall: a Monday. */
const MONDAY_MS = 4 * 86_400_000;
/** Clocks are looked at this often; no zone changed twice within it and back. */
const PROBE_MS = 6 * 3_600_000;
/** Longest stretch counted at once: some 150,000 looks at the clock. */
const SPAN_MS_MAX = 100 * 366 * 86_400_000;

/** Hours made ready for arithmetic. */
interface Calendar {
  clock: Intl.DateTimeFormat;
  /** Sorted, within one week, not overlapping. */
  ranges: readonly { fromMs: number; toMs: number }[];
  weekOperatingMs: number;
}

// Making a formatter costs more than using it a hundred times; what nobody holds any more goes with its hours.
const calendars = new WeakMap<OperatingHours, Calendar>();

function calendarOf(hours: OperatingHours): Calendar {
  const there = calendars.get(hours);
  if (there !== undefined) return there;
  const ranges = weekRanges(hours)
    // What passes from Sunday into Monday is two ranges of one week.
    .flatMap(({ from, to }) =>
      to <= MINUTES_A_WEEK
        ? [[from, to] as const]
        : [[from, MINUTES_A_WEEK] as const, [0, to - MINUTES_A_WEEK] as const],
    )
    .map(([from, to]) => ({ fromMs: from * MINUTE_MS, toMs: to * MINUTE_MS }))
    .sort((a, b) => a.fromMs - b.fromMs);
  const clock = new Intl.DateTimeFormat("en-US", {
    timeZone: hours.timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const weekOperatingMs = ranges.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const calendar = { clock, ranges, weekOperatingMs };
  calendars.set(hours, calendar);
  return calendar;
}

/** What the clock on the wall is ahead of UTC at a moment. */
function offsetMs({ clock }: Calendar, ms: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of clock.formatToParts(ms)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 0, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1_000) * 1_000;
}

/** Operating time from a Monday long ago to a time on the wall; negative before. */
function operatingUntil({ ranges, weekOperatingMs }: Calendar, wallMs: number): number {
  const weeks = Math.floor((wallMs - MONDAY_MS) / WEEK_MS);
  const inWeekMs = wallMs - MONDAY_MS - weeks * WEEK_MS;
  let sum = weeks * weekOperatingMs;
  for (const { fromMs, toMs } of ranges) sum += Math.max(Math.min(inWeekMs, toMs) - fromMs, 0);
  return sum;
}

/** The first moment after `fromMs`, up to `toMs`, at which the clock has another offset than at `fromMs`. */
function changeBetween(calendar: Calendar, fromMs: number, toMs: number): number {
  const before = offsetMs(calendar, fromMs);
  let [low, high] = [fromMs, toMs];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(calendar, middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** Whether a machine is to run at a moment; without hours it always is. The end of a range is outside. */
export function isOperating(hours: OperatingHours | null, ms: number): boolean {
  if (hours === null) return true;
  const calendar = calendarOf(hours);
  const sinceMonday = ms + offsetMs(calendar, ms) - MONDAY_MS;
  const inWeekMs = sinceMonday - Math.floor(sinceMonday / WEEK_MS) * WEEK_MS;
  return calendar.ranges.some(({ fromMs, toMs }) => fromMs <= inWeekMs && inWeekMs < toMs);
}

/**
 * How long a machine is to run between two moments, as time that passes: a shift in the night in which the clock is set
 * back is an hour longer, one in which it is set forward an hour shorter.
 */
export function operatingMsBetween(hours: OperatingHours | null, fromMs: number, toMs: number): number {
  if (toMs <= fromMs) return 0;
  if (hours === null) return toMs - fromMs;
  assert(toMs - fromMs <= SPAN_MS_MAX, "a count of hours has an end");
  const calendar = calendarOf(hours);
  let sum = 0;
  for (let at = fromMs; at < toMs; ) {
    const offset = offsetMs(calendar, at);
    const probe = Math.min(at + PROBE_MS, toMs);
    const end = offsetMs(calendar, probe) === offset ? probe : changeBetween(calendar, at, probe);
    sum += operatingUntil(calendar, end + offset) - operatingUntil(calendar, at + offset);
    at = end;
  }
  return sum;
}
