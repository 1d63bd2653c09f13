import type { Random } from "./clock.ts";

/** How fast a retry backs off. Attempts are counted from 0. */
export interface Backoff {
  baseMs: number;
  capMs: number;
  /** A lower cap for the first attempts: a short outage should not be followed by a long wait. */
  early?: { capMs: number; attempts: number };
}

/**
 * Gateway to hub (`delivery.md` 2.5). For the first few minutes a gateway asks every four seconds on average, so that it
 * is back within 10 s of a hub that restarts; a hub that stays away is then asked twice a minute.
 */
export const UPLINK_BACKOFF: Backoff = {
  baseMs: 1_000,
  capMs: 60_000,
  early: { capMs: 8_000, attempts: 60 },
};

/**
 * Full jitter: a uniform wait in [0, min(cap, base * 2^attempt)]. A fleet that lost its hub at the same moment must
 * not come back at the same moment.
 */
export function fullJitterMs(backoff: Backoff, attempt: number, random: Random): number {
  const { capMs, early } = backoff;
  const cap = early !== undefined && attempt < early.attempts ? early.capMs : capMs;
  const ceiling = Math.min(cap, backoff.baseMs * 2 ** Math.min(attempt, 30));
  return Math.floor(random() * ceiling);
}
