import { randomBytes } from "node:crypto";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { Weakness } from "./message.ts";
import { HashThread } from "./thread.ts";
import { createTurnstile } from "./turnstile.ts";

/** As the contract's `NewPassword` has it. */
export const PASSWORD = { lengthMax: 256 } as const;

const WHY: Readonly<Record<Weakness, string>> = {
  repeats: "It repeats the same.",
  follows: "It follows the keys or the alphabet.",
  date: "It is a date with little around it.",
  about: "It is made of your name, your address or the name of this product.",
  common: "It is, or is close to, one that many people use.",
};

export interface Passwords extends Disposable {
  /** Of a PIN, or what else has rules of its own. */
  hash(secret: string): Promise<string>;
  /**
   * Of a password somebody chose.
   * @param about what a stranger would try first: name and e-mail address of its person
   * @throws AppError `password.weak`
   */
  hashChosen(password: string, about: readonly string[]): Promise<string>;
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
    hash: (secret) => turn(() => thread.hash(secret)),
    async hashChosen(password, about) {
      const weakness = await turn(() => thread.judge(password, [...about, "millrace"]));
      if (weakness !== null)
        throw new AppError(
          "password.weak",
          `This password would be among the first that a stranger tries. ${WHY[weakness]}`,
        );
      return await turn(() => thread.hash(password));
    },
    async verify(password, hash) {
      // A longer one was never accepted, so it cannot be right, and hashing a megabyte is not free.
      if (password.length > PASSWORD.lengthMax) return false;
      const known = await hashOfNobody();
      return (await turn(() => thread.verify(password, hash ?? known))) && hash !== null;
    },
    [Symbol.dispose]: () => thread[Symbol.dispose](),
  };
}
