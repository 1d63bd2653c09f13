/** What a key means on the focused chart. */
export type ChartKey =
  | { type: "cursor"; steps: number }
  | { type: "edge"; end: "from" | "to" }
  | { type: "pen"; by: -1 | 1 }
  | { type: "zoom"; factor: number }
  | { type: "step"; direction: -1 | 1 }
  | { type: "live" | "back" | "note" | "measure" };

const TEN = 10;
const ZOOM = 1.5;

interface Pressed {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** Null: not ours, the browser may have it. */
export function keyAction(event: Pressed): ChartKey | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const steps = event.shiftKey ? TEN : 1;
  switch (event.key) {
    case "ArrowLeft":
      return { type: "cursor", steps: -steps };
    case "ArrowRight":
      return { type: "cursor", steps };
    case "ArrowUp":
      return { type: "pen", by: -1 };
    case "ArrowDown":
      return { type: "pen", by: 1 };
    case "Home":
      return { type: "edge", end: "from" };
    case "End":
      return { type: "edge", end: "to" };
    case "+":
    case "=":
      return { type: "zoom", factor: ZOOM };
    case "-":
    case "_":
      return { type: "zoom", factor: 1 / ZOOM };
    case "[":
    case "PageUp":
      return { type: "step", direction: -1 };
    case "]":
    case "PageDown":
      return { type: "step", direction: 1 };
    case "l":
    case "L":
      return { type: "live" };
    case "a":
    case "A":
      return { type: "note" };
    case "m":
    case "M":
      return { type: "measure" };
    case "Escape":
      return { type: "back" };
    default:
      return null;
  }
}

/** The moment so many points further, or so many parts of the range where the pen has none. */
export function cursorStep(
  timesMs: readonly number[],
  atMs: number,
  steps: number,
  window: { fromMs: number; toMs: number },
): number {
  const inside = (ms: number) => Math.min(window.toMs, Math.max(window.fromMs, ms));
  if (timesMs.length < 2) return inside(atMs + ((window.toMs - window.fromMs) / 200) * steps);
  let i = nearestIndex(timesMs, atMs);
  // Between two points a step leads to the next one in its direction, not over it.
  if (steps > 0 && timesMs[i]! > atMs) i--;
  if (steps < 0 && timesMs[i]! < atMs) i++;
  const to = timesMs[Math.min(timesMs.length - 1, Math.max(0, i + steps))]!;
  return inside(to);
}

export function nearestIndex(timesMs: readonly number[], atMs: number): number {
  let low = 0;
  let high = timesMs.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesMs[middle]! < atMs) low = middle + 1;
    else high = middle;
  }
  return low > 0 && atMs - timesMs[low - 1]! <= timesMs[low]! - atMs ? low - 1 : low;
}
