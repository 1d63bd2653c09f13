/** A stretch of time that comes again and again: `20s/10m` is 20 seconds of every 10 minutes. */
export interface Window {
  /** Length, ms; 0 for a mere moment. */
  ms: number;
  /** From one to the next, ms. */
  everyMs: number;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Longest duration: beyond it nobody waits for what a simulated machine does. */
export const DURATION_MS_MAX = 31 * UNIT_MS.d!;

export const WINDOW_PATTERN = "^\\d{1,7}(ms|s|m|h|d)/\\d{1,7}(ms|s|m|h|d)$";

/** `250ms`, `20s`, `5m`, `2h`, `1d` → ms; null for anything else and beyond 31 days. */
export function durationOf(text: string): number | null {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  if (digits === undefined) return null;
  const ms = Number(digits) * UNIT_MS[unit!]!;
  return ms <= DURATION_MS_MAX ? ms : null;
}

/** The shortest text: whole units of the largest that fits. */
export function durationText(ms: number): string {
  const fits = ["d", "h", "m", "s"].find((unit) => ms > 0 && ms % UNIT_MS[unit]! === 0) ?? "ms";
  return `${ms / UNIT_MS[fits]!}${fits}`;
}

/** `20s/10m` → window; null for anything else, also when it is as long as the time from one to the next. */
export function windowOf(text: string): Window | null {
  const [length = "", every = "", ...rest] = text.split("/");
  const ms = durationOf(length);
  const everyMs = durationOf(every);
  if (rest.length > 0 || ms === null || everyMs === null || ms >= everyMs) return null;
  return { ms, everyMs };
}

export const windowText = ({ ms, everyMs }: Window): string => `${durationText(ms)}/${durationText(everyMs)}`;
