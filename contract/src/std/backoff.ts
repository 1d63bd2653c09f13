import type { Random } from "./clock.ts";

/** How fast a retry backs off. Attempts are counted from 0. */
export interface Backoff {
  baseMs: number;
  capMs: number;
}

/** Gateway to hub (`delivery.md` 2.5). */
export const UPLINK_BACKOFF: Backoff = { baseMs: 1_000, capMs: 60_000 };

/**
 * Full jitter: a uniform wait in [0, min(cap, base * 2^attempt)]. A fleet that lost its hub at the same moment must
 * not come back at the same moment.
 */
export function fullJitterMs(backoff: Backoff, attempt: number, random: Random): number {
  const ceiling = Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(attempt, 30));
  return Math.floor(random() * ceiling);
}
