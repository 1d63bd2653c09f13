/**
 * Which time a sample carries. A source's own clock is finer than ours: it says when the value changed, not when we
 * heard of it. But many sources have a wrong one, and a chart must not jump 17 hours because of it.
 */

/** A source's clock may differ so much and is still believed. */
export const SOURCE_CLOCK_MS = 10_000;

export interface TimeQuestion {
  /** The source's own time; undefined where the protocol has none. */
  sourceMs: number | undefined;
  gatewayMs: number;
  /** Time of the newest sample of this tag; −∞ before the first. */
  newestMs: number;
  /** The value differs from the one before. An unchanged value is as old as it likes. */
  moved: boolean;
  /** The value before was no bad one: nothing can have happened unseen meanwhile. */
  known: boolean;
}

export interface TimeAnswer {
  timeMs: number;
  /** The source's clock contradicts ours or itself; the time is the gateway's. */
  doubted: boolean;
}

const believe = (timeMs: number): TimeAnswer => ({ timeMs, doubted: false });

/** Pure. The answers for one tag never go back by the same clock, so that a chart's line does not either. */
export function sampleTime({ sourceMs, gatewayMs, newestMs, moved, known }: TimeQuestion): TimeAnswer {
  if (sourceMs === undefined) return believe(gatewayMs);
  const own = Math.max(gatewayMs, newestMs + 1);
  if (sourceMs > gatewayMs + SOURCE_CLOCK_MS) return { timeMs: moved ? own : gatewayMs, doubted: true };
  // Still the same value, seen now.
  if (!moved) return believe(gatewayMs);
  if (newestMs === Number.NEGATIVE_INFINITY)
    return believe(sourceMs >= gatewayMs - SOURCE_CLOCK_MS ? sourceMs : gatewayMs);
  if (sourceMs > newestMs) return believe(sourceMs);
  if (!known) return believe(gatewayMs);
  // It changed after the sample before, and says it did so long before: the clock stands still, jumped or is behind.
  if (sourceMs < newestMs - SOURCE_CLOCK_MS) return { timeMs: own, doubted: true };
  return believe(newestMs + 1);
}
