import { AppError } from "@millrace/contract/error/app-error";
import type { Clock, Ms } from "@millrace/contract/std/clock";

export interface RateLimits {
  /** What may be taken in a steady stream. */
  perSecond: number;
  /** What may be taken at once after a quiet time. */
  burst: number;
  /** Names remembered at once; the one that came first is forgotten first, which only forgives it. */
  namesMax: number;
}

export interface Rate {
  /** @throws AppError `request.tooMany` with `retryAfterS` when `name` has taken too much lately */
  take(name: string, amount?: number): void;
}

/** What one name may take: filled again as time passes. A refused attempt takes nothing. */
export class Bucket {
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private atMs: Ms,
    private left = burst,
  ) {}

  take(amount: number, nowMs: Ms): boolean {
    this.left = Math.min(this.burst, this.left + ((nowMs - this.atMs) / 1_000) * this.perSecond);
    this.atMs = nowMs;
    if (this.left < amount) return false;
    this.left -= amount;
    return true;
  }

  /** Seconds until so much may be taken, by the last attempt. */
  waitS(amount: number): number {
    return (amount - this.left) / this.perSecond;
  }
}

/** A bucket a name. */
export function createRate({ perSecond, burst, namesMax }: RateLimits, clock: Clock): Rate {
  const buckets = new Map<string, Bucket>();
  const bucketOf = (name: string, nowMs: Ms): Bucket => {
    const found = buckets.get(name);
    if (found !== undefined) return found;
    const oldest = buckets.keys().next();
    if (buckets.size >= namesMax && !oldest.done) buckets.delete(oldest.value);
    const fresh = new Bucket(perSecond, burst, nowMs);
    buckets.set(name, fresh);
    return fresh;
  };
  return {
    take(name, amount = 1) {
      const nowMs = clock.monoMs();
      const bucket = bucketOf(name, nowMs);
      if (bucket.take(amount, nowMs)) return;
      const retryAfterS = Math.max(1, Math.ceil(bucket.waitS(amount)));
      throw new AppError("request.tooMany", `Too many requests; try again in ${retryAfterS} s.`, {
        context: { retryAfterS },
      });
    },
  };
}
