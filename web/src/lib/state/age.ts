const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Age in words, coarse on purpose: "3 s", "4 min", "2 h 5 min", "3 d". A negative age (clocks differ) reads "0 s". */
export function ageWords(ageMs: number): string {
  const age = Math.max(0, ageMs);
  if (age < MINUTE) return `${Math.floor(age / SECOND)} s`;
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min`;
  if (age < DAY) {
    const minutes = Math.floor((age % HOUR) / MINUTE);
    return minutes === 0 ? `${Math.floor(age / HOUR)} h` : `${Math.floor(age / HOUR)} h ${minutes} min`;
  }
  return `${Math.floor(age / DAY)} d`;
}

/** Running time of a wait: "00:12", "1:02:03". */
export function stopwatch(ms: number): string {
  const total = Math.max(0, Math.floor(ms / SECOND));
  const two = (n: number) => String(n).padStart(2, "0");
  const clock = `${two(Math.floor(total / 60) % 60)}:${two(total % 60)}`;
  return total < 3_600 ? clock : `${Math.floor(total / 3_600)}:${clock}`;
}

const clockFormat = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dateFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Time of day in the browser's zone, 10:41:20. */
export const clockTime = (ms: number): string => clockFormat.format(ms);

/** Time of day; with the date in front when it is not today's. */
export function momentWords(ms: number, nowMs: number): string {
  const day = dateFormat.format(ms);
  return day === dateFormat.format(nowMs) ? clockTime(ms) : `${day} ${clockTime(ms)}`;
}
