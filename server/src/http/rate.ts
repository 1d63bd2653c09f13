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

interface Bucket {
  left: number;
  atMs: Ms;
}

/** A bucket a name, filled again as time passes. A refused attempt takes nothing. */
export function createRate({ perSecond, burst, namesMax }: RateLimits, clock: Clock): Rate {
  const buckets = new Map<string, Bucket>();
  const bucketOf = (name: string, nowMs: Ms): Bucket => {
    const found = buckets.get(name);
    if (found !== undefined) {
      found.left = Math.min(burst, found.left + ((nowMs - found.atMs) / 1_000) * perSecond);
      found.atMs = nowMs;
      return found;
    }
    const oldest = buckets.keys().next();
    if (buckets.size >= namesMax && !oldest.done) buckets.delete(oldest.value);
    const fresh = { left: burst, atMs: nowMs };
    buckets.set(name, fresh);
    return fresh;
  };
  return {
    take(name, amount = 1) {
      const bucket = bucketOf(name, clock.monoMs());
      if (bucket.left >= amount) {
        bucket.left -= amount;
        return;
      }
      const retryAfterS = Math.max(1, Math.ceil((amount - bucket.left) / perSecond));
      throw new AppError("request.tooMany", `Too many requests; try again in ${retryAfterS} s.`, {
        context: { retryAfterS },
      });
    },
  };
}
