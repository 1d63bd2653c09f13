import { randomBytes } from "node:crypto";
import { AppError } from "@millrace/contract/error/app-error";

/** OWASP's floor for argon2id: about 50 ms and 19 MiB a hash on a small machine. */
const ARGON2 = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

export const PASSWORD = { lengthMin: 12, lengthMax: 256, atOnceMax: 4, waitingMax: 64 } as const;

/**
 * Runs at most four hashes at once, so that a flood of sign-ins takes neither all memory nor all cores. The ones
 * waiting are bounded too.
 */
function createTurnstile(): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= PASSWORD.atOnceMax) {
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
      return await work();
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

export function createPasswords(): Passwords {
  const turn = createTurnstile();
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
