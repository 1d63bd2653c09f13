/** Drift is followed so slowly that times never run backwards and an interval is never noticeably wrong. */
const SLEW_MS_PER_MS = 0.001;
/** The machine tells whole milliseconds; less than one is its grain, not drift. */
const GRAIN_MS = 1;

/** A moment whose time is known. Later times follow from it by the monotonic clock, whatever the wall clock does. */
export interface Anchor {
  timeMs: number;
  monoMs: number;
  /** Still to be added, at most 1 ms per second. */
  slewMs: number;
}

/** Time in ms UTC at a later moment of the monotonic clock; not whole. */
export function timeAt({ timeMs, monoMs, slewMs }: Anchor, atMonoMs: number): number {
  const elapsedMs = atMonoMs - monoMs;
  const slewedMs = Math.min(Math.abs(slewMs), Math.max(0, elapsedMs) * SLEW_MS_PER_MS);
  return timeMs + elapsedMs + Math.sign(slewMs) * slewedMs;
}

/** The same times up to now, and from now on towards `offMs` more. */
export function followed(anchor: Anchor, monoMs: number, offMs: number): Anchor {
  const slewMs = Math.abs(offMs) < GRAIN_MS ? 0 : offMs;
  if (slewMs === 0 && anchor.slewMs === 0) return anchor;
  return { timeMs: timeAt(anchor, monoMs), monoMs, slewMs };
}
