import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";

/** `waitingMax`: who may stand before the turnstile; the rest is told to come again. */
export const TURNSTILE = { waitingMax: 32 } as const;

/**
 * Processor time that hashing may take in the long run, and at once after a quiet time: some forty sign-ins in a row wait
 * for nothing, and whoever guesses without end gets the share of one core that the samples of the plant can spare.
 */
export const HASHING = { coreShare: 0.25, burstMs: 2_000 } as const;

/** What was done, and the processor time it took, ms. */
export interface Work<T> {
  value: T;
  cpuMs: number;
}

/**
 * Runs one hash at a time and not all the time, so that a flood of sign-ins takes neither all memory nor a whole core.
 * @returns runs the work when its turn comes
 * @throws AppError `request.tooMany` when `waitingMax` are there already
 */
export function createTurnstile(clock: Clock): <T>(work: () => Promise<Work<T>>) => Promise<T> {
  let running = false;
  const waiting: (() => void)[] = [];
  let [spentMs, atMs] = [0, clock.monoMs()];
  const paced = async <T>(work: () => Promise<Work<T>>): Promise<T> => {
    const nowMs = clock.monoMs();
    spentMs = Math.max(0, spentMs - (nowMs - atMs) * HASHING.coreShare);
    atMs = nowMs;
    if (spentMs > HASHING.burstMs) await clock.sleep((spentMs - HASHING.burstMs) / HASHING.coreShare);
    const { value, cpuMs } = await work();
    spentMs += cpuMs;
    return value;
  };
  return async (work) => {
    if (running) {
      if (waiting.length >= TURNSTILE.waitingMax) {
        throw new AppError("request.tooMany", "Too many sign-ins at once; try again in a moment.", {
          context: { retryAfterS: 2 },
        });
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    running = true;
    try {
      return await paced(work);
    } finally {
      // The turn goes straight to the next one, so nobody can slip in between.
      const next = waiting.shift();
      if (next === undefined) running = false;
      else next();
    }
  };
}
