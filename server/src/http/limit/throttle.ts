import { AppError } from "@millrace/contract/error/app-error";
import type { Clock, Ms } from "@millrace/contract/std/clock";

export interface ThrottleLimits {
  /** Failures that cost nothing. */
  freeFailures: number;
  /** After those, the first wait; it doubles with each further failure. */
  firstWaitMs: number;
  waitMsMax: number;
  /** Failures within `windowMs` after which nothing is checked until the window ends. */
  failuresMax: number;
  windowMs: number;
  /** Names remembered at once; the one that failed longest ago is forgotten first. */
  namesMax: number;
}

const hourMs = 3_600_000;

/** Per account: a delay from the fifth failure on, at most twenty passwords checked in an hour. */
export const ACCOUNT_LIMITS: ThrottleLimits = {
  freeFailures: 4,
  firstWaitMs: 1_000,
  waitMsMax: 60_000,
  failuresMax: 20,
  windowMs: hourMs,
  namesMax: 10_000,
};

/** Per address. A whole plant may come through one proxy, so this only stops sprays. */
export const ADDRESS_LIMITS: ThrottleLimits = {
  freeFailures: 30,
  firstWaitMs: 1_000,
  waitMsMax: 60_000,
  failuresMax: 200,
  windowMs: hourMs,
  namesMax: 10_000,
};

interface Record_ {
  failures: number;
  windowEndMs: Ms;
  nextMs: Ms;
}

export interface Throttle {
  /** @throws AppError `request.tooMany` with `retryAfterS` while `name` must wait */
  check(name: string): void;
  /** How long `name` must still wait; 0 when it need not. */
  waitMs(name: string): number;
  failed(name: string): void;
  succeeded(name: string): void;
}

/** Counts failures by name, in memory: a restart forgives, which an attacker cannot cause. Monotonic time. */
export function createThrottle(limits: ThrottleLimits, clock: Clock): Throttle {
  const records = new Map<string, Record_>();
  const recordOf = (name: string): Record_ | undefined => {
    const found = records.get(name);
    if (found === undefined || clock.monoMs() < found.windowEndMs) return found;
    records.delete(name);
    return undefined;
  };
  const waitMs = (name: string): number => {
    const found = recordOf(name);
    if (found === undefined) return 0;
    const untilMs = found.failures >= limits.failuresMax ? found.windowEndMs : found.nextMs;
    return Math.max(0, untilMs - clock.monoMs());
  };
  return {
    waitMs,
    check(name) {
      const leftMs = waitMs(name);
      if (leftMs === 0) return;
      const retryAfterS = Math.ceil(leftMs / 1_000);
      throw new AppError("request.tooMany", `Too many failed attempts; try again in ${retryAfterS} s.`, {
        context: { retryAfterS },
      });
    },
    failed(name) {
      const nowMs = clock.monoMs();
      const failures = (recordOf(name)?.failures ?? 0) + 1;
      const windowEndMs = recordOf(name)?.windowEndMs ?? nowMs + limits.windowMs;
      const beyond = failures - limits.freeFailures;
      const pauseMs =
        beyond <= 0 ? 0 : Math.min(limits.waitMsMax, limits.firstWaitMs * 2 ** Math.min(beyond - 1, 20));
      // Deleting first moves the name to the young end of the map.
      records.delete(name);
      records.set(name, { failures, windowEndMs, nextMs: nowMs + pauseMs });
      const oldest = records.keys().next();
      if (records.size > limits.namesMax && !oldest.done) records.delete(oldest.value);
    },
    succeeded(name) {
      records.delete(name);
    },
  };
}
