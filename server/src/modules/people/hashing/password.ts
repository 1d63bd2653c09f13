import { randomBytes } from "node:crypto";
import type { Clock } from "@millrace/contract/std/clock";
import { HashThread } from "./thread.ts";
import { createTurnstile } from "./turnstile.ts";

export const PASSWORD = { lengthMin: 12, lengthMax: 256 } as const;

export interface Passwords extends Disposable {
  hash(password: string): Promise<string>;
  /** Null is the hash of nobody: never right, and the same work as anybody's. */
  verify(password: string, hash: string | null): Promise<boolean>;
}

/** Hashes in a thread of its own, paced. Its clock paces. */
export function createPasswords(clock: Clock): Passwords {
  const thread = new HashThread();
  const turn = createTurnstile(clock);
  // Made when first needed, of a password nobody knows.
  let nobody: Promise<string> | null = null;
  const hashOfNobody = () => {
    nobody ??= turn(() => thread.hash(randomBytes(32).toString("base64url"))).catch((thrown) => {
      nobody = null;
      throw thrown;
    });
    return nobody;
  };
  return {
    hash: (password) => turn(() => thread.hash(password)),
    async verify(password, hash) {
      // A longer one was never accepted, so it cannot be right, and hashing a megabyte is not free.
      if (password.length > PASSWORD.lengthMax) return false;
      const known = await hashOfNobody();
      return (await turn(() => thread.verify(password, hash ?? known))) && hash !== null;
    },
    [Symbol.dispose]: () => thread[Symbol.dispose](),
  };
}
