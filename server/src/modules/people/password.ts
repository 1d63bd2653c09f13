import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";

/** OWASP's floor for argon2id: about 50 ms and 19 MiB a hash on a small machine. */
const ARGON2 = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

export const PASSWORD = { lengthMin: 12, lengthMax: 256, atOnceMax: 4, waitingMax: 32 } as const;

/**
 * Hashes at once: one core stays with the samples of the plant, whoever guesses passwords meanwhile.
 * @param cores of this machine
 */
export const hashesAtOnce = (cores: number): number => Math.min(PASSWORD.atOnceMax, Math.max(1, cores - 1));

/**
 * Processor time that hashing may take in the long run, and at once after a quiet time: some forty sign-ins in a row wait
 * for nothing, and whoever guesses without end gets the share of one core that the samples of the plant can spare.
 */
export const HASHING = { coreShare: 0.25, burstMs: 2_000 } as const;

/** Runs few hashes at once and not all the time, so that a flood of sign-ins takes neither all memory nor the cores. The ones waiting are bounded too. */
export function createTurnstile(clock: Clock, atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  let [spentMs, atMs] = [0, clock.monoMs()];
  const spend = (ms: number): void => {
    const nowMs = clock.monoMs();
    spentMs = Math.max(0, spentMs - (nowMs - atMs) * HASHING.coreShare) + ms;
    atMs = nowMs;
  };
  const paced = async <T>(work: () => Promise<T>): Promise<T> => {
    spend(0);
    if (spentMs > HASHING.burstMs) await clock.sleep((spentMs - HASHING.burstMs) / HASHING.coreShare);
    const beganMs = clock.monoMs();
    try {
      return await work();
    } finally {
      spend(clock.monoMs() - beganMs);
    }
  };
  return async (work) => {
    if (running >= atOnce) {
      if (waiting.length >= PASSWORD.waitingMax) {
        throw new AppError("request.tooMany", "Too many sign-ins at once; try again in a moment.", {
          context: { retryAfterS: 2 },
        });
      }
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await paced(work);
    } finally {
      // The turn goes straight to the next one, so nobody can slip in between.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

export interface Passwords {
  hash(password: string): Promise<string>;
  /** Null is the hash of nobody: never right, and the same work as anybody's. */
  verify(password: string, hash: string | null): Promise<boolean>;
}

export function createPasswords(clock: Clock, cores = availableParallelism()): Passwords {
  const turn = createTurnstile(clock, hashesAtOnce(cores));
  // Made when first needed, of a password nobody knows.
  let nobody: Promise<string> | null = null;
  const hashOfNobody = () => {
    nobody ??= Bun.password.hash(randomBytes(32).toString("base64url"), ARGON2);
    return nobody;
  };
  return {
    hash: (password) => turn(() => Bun.password.hash(password, ARGON2)),
    // A longer one was never accepted, so it cannot be right, and hashing a megabyte is not free.
    verify: (password, hash) =>
      password.length > PASSWORD.lengthMax
        ? Promise.resolve(false)
        : turn(async () => {
            const known = await hashOfNobody();
            return (await Bun.password.verify(password, hash ?? known)) && hash !== null;
          }),
  };
}
