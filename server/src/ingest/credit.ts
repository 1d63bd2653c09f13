import { LIMITS } from "@millrace/contract/wire/limits";

/**
 * How many bytes one gateway may have unacknowledged (`delivery.md` 2.5): it doubles while commits are quick, halves
 * when they are slow, so a slow disk is felt by the senders and not by the hub's memory.
 */
export interface Credit {
  readonly bytes: number;
  /** Commit times since the last change of `bytes`, newest last. */
  readonly recentMs: readonly number[];
}

export const CREDIT = {
  quickMs: 100,
  slowMs: 500,
  bytesMin: 32 * 1024,
  /** Judged over so many commits, so that a single hiccup of the disk decides nothing. */
  window: 8,
} as const;

export const creditStart = (): Credit => ({ bytes: LIMITS.creditBytesStart, recentMs: [] });

/** What stands around one session when its credit is judged. */
export interface Around {
  /** What the hub's budget over all sessions still allows this one to grow by. */
  bytesFree: number;
  /** The most it should have unacknowledged beside the others (`fair-share.ts`). */
  bytesFair: number;
}

export function creditAfterCommit(
  credit: Credit,
  commitMs: number,
  { bytesFree, bytesFair }: Around,
): Credit {
  const recentMs = [...credit.recentMs, commitMs];
  if (recentMs.length < CREDIT.window) return { ...credit, recentMs };
  const p95 = percentile(recentMs, 0.95);
  if (p95 > CREDIT.slowMs) return creditHalved(credit);
  // In steps, so that a moment in which many meet does not take everything.
  if (credit.bytes > bytesFair)
    return { bytes: Math.max(bytesFair, Math.floor(credit.bytes / 2)), recentMs: [] };
  if (p95 >= CREDIT.quickMs) return { ...credit, recentMs: [] };
  const wanted = Math.min(credit.bytes * 2, LIMITS.creditBytesMax, bytesFair);
  return { bytes: Math.min(wanted, credit.bytes + Math.max(0, bytesFree)), recentMs: [] };
}

export function creditHalved(credit: Credit): Credit {
  return { bytes: Math.max(CREDIT.bytesMin, Math.floor(credit.bytes / 2)), recentMs: [] };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** Bytes granted to all sessions together; caps what the hub may be made to hold in memory. */
export class CreditBudget {
  #granted = 0;
  constructor(readonly bytesMax: number) {}

  get bytesFree(): number {
    return Math.max(0, this.bytesMax - this.#granted);
  }

  /** Books the change of one session's grant. */
  book(changeBytes: number): void {
    this.#granted += changeBytes;
  }
}
