/** How long, for people: "850 ms", "8 s", "3 min 20 s", "2 h 5 min", "4 d 3 h". */
export function durationWords(ms: number): string {
  if (!Number.isFinite(ms)) return "unknown time";
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const s = Math.round(ms / 1_000);
  if (s < 60) return `${s} s`;
  const pair = (big: number, bigUnit: string, small: number, smallUnit: string) =>
    small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
  const min = Math.floor(s / 60);
  if (min < 60) return pair(min, "min", s % 60, "s");
  const h = Math.floor(min / 60);
  if (h < 24) return pair(h, "h", min % 60, "min");
  return pair(Math.floor(h / 24), "d", h % 24, "h");
}

/** A countdown in whole seconds, never "0 s": what is due is due now. */
export const untilWords = (ms: number): string =>
  ms <= 0 ? "now" : `in ${durationWords(Math.max(1_000, ms))}`;

export const timesWords = (n: number): string => (n === 1 ? "once" : n === 2 ? "twice" : `${n} times`);

/** A sentence part without its full stop, so that more can follow. */
export const clause = (message: string): string => message.replace(/[.\s]+$/, "");
