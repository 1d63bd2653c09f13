/** A server's clock that differs by less is taken as right: networks and publishing have their own delays. */
export const CLOCK_OFF_MS = 10_000;

const units: readonly [number, string][] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

function words(exactMs: number): string {
  const about = units.findIndex(([size]) => exactMs >= size);
  // Told in two units, so rounded to the second of them: 17 h and not 16 h 59 min.
  const smallest = units[about + 1]?.[0] ?? 1_000;
  const ms = Math.round(exactMs / smallest) * smallest;
  const at = units.findIndex(([size]) => ms >= size);
  const [size, unit] = units[at] ?? [1_000, "s"];
  const next = units[at + 1];
  const rest = next === undefined ? 0 : Math.round((ms % size) / next[0]);
  return `${Math.floor(ms / size)} ${unit}${rest === 0 ? "" : ` ${rest} ${next![1]}`}`;
}

/** The difference as a sentence for a technician; null while it is small. @param offsetMs server's clock minus ours */
export function clockNote(offsetMs: number | null): string | null {
  if (offsetMs === null || Math.abs(offsetMs) < CLOCK_OFF_MS) return null;
  const way = offsetMs < 0 ? "behind" : "ahead";
  return `The server's clock is ${words(Math.abs(offsetMs))} ${way}; values carry the gateway's time where it matters.`;
}
