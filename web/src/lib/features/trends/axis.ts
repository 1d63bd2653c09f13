import { DAY_MS, type TimeWindow } from "./range.ts";

/** Steps of 1, 2 or 5 times a power of ten: what a person counts in. */
export function niceStep(span: number, ticksMax: number): number {
  const raw = span / Math.max(1, ticksMax);
  const power = 10 ** Math.floor(Math.log10(raw));
  const part = raw / power;
  return (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10) * power;
}

/** Ticks inside [low, high], at whole steps. */
export function niceTicks(low: number, high: number, ticksMax: number): number[] {
  if (!(high > low) || !Number.isFinite(high - low)) return [];
  const step = niceStep(high - low, ticksMax);
  const ticks: number[] = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) {
    ticks.push(Number((n * step).toPrecision(12)));
  }
  return ticks;
}

/** Room around the data, ending at whole steps, so that a live pen does not make the axis dance. */
export function niceRange(low: number, high: number): [number, number] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (low === high) {
    const room = Math.max(Math.abs(low) * 0.05, 0.5);
    return [low - room, high + room];
  }
  const step = niceStep(high - low, 8);
  const room = (high - low) * 0.02;
  return [Math.floor((low - room) / step) * step, Math.ceil((high + room) / step) * step];
}

/** Label of a tick: as many digits as the step needs. */
export function tickWords(value: number, step: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) >= 1e7 || step < 1e-4) return value.toExponential(2).replace("-", "−");
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  return value.toFixed(decimals).replace("-", "−");
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS: readonly number[] = [
  100,
  200,
  500,
  SECOND,
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  15 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  4 * HOUR,
  6 * HOUR,
  8 * HOUR,
  12 * HOUR,
  DAY_MS,
  2 * DAY_MS,
  7 * DAY_MS,
  14 * DAY_MS,
  30 * DAY_MS,
  91 * DAY_MS,
  365 * DAY_MS,
];

/** Smallest step of the calendar with which at most `ticksMax` ticks fit. */
export function timeStep(lengthMs: number, ticksMax: number): number {
  return STEPS.find((step) => lengthMs / step <= ticksMax) ?? STEPS.at(-1)!;
}

const midnight = (timeMs: number, days = 0): number => {
  const date = new Date(timeMs);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime();
};

/** Ticks at round times of this device's calendar: steps within a day start at its midnight. */
export function timeTicks({ fromMs, toMs }: TimeWindow, ticksMax: number): { at: number[]; stepMs: number } {
  const stepMs = timeStep(toMs - fromMs, ticksMax);
  const at: number[] = [];
  if (stepMs >= DAY_MS) {
    const days = Math.round(stepMs / DAY_MS);
    const first = midnight(fromMs, 1);
    for (let n = 0; ; n++) {
      const tick = midnight(first, n * days);
      if (tick > toMs) break;
      at.push(tick);
    }
    return { at, stepMs };
  }
  for (let day = midnight(fromMs); day <= toMs; day = midnight(day, 1)) {
    const end = Math.min(toMs, midnight(day, 1) - 1);
    const first = day + Math.max(0, Math.ceil((fromMs - day) / stepMs)) * stepMs;
    for (let tick = first; tick <= end; tick += stepMs) at.push(tick);
  }
  return { at, stepMs };
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const year = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric" });

/** Labels of time ticks; the day stands under the first tick and under each first one of a day. */
export function timeWords(ticks: readonly number[], stepMs: number): string[] {
  let dayBefore = "";
  return ticks.map((tick) => {
    const date = day.format(tick);
    if (stepMs >= 91 * DAY_MS) return year.format(tick);
    if (stepMs >= DAY_MS) return date;
    const time = stepMs >= MINUTE ? clock.format(tick) : seconds.format(tick);
    const text = stepMs < SECOND ? `${time}.${Math.floor((tick % SECOND) / 100)}` : time;
    const shown = date === dayBefore ? text : `${text}\n${date}`;
    dayBefore = date;
    return shown;
  });
}
