import { randomBytes } from "node:crypto";
import { tokenHash } from "../../../secret.ts";

export const RECOVERY_CODES = 10;
/** Crockford's 32: none of i, l, o and u, which look like others or make words. */
const LETTERS = "0123456789abcdefghjkmnpqrstvwxyz";
const GROUPS = 3;
const GROUP_LETTERS = 5;

/** A code of 75 bits to write down: `k3v9q-7hw2m-x4tzb`. */
export function newRecoveryCode(): string {
  const letters = Array.from(randomBytes(GROUPS * GROUP_LETTERS), (byte) => LETTERS[byte & 31]);
  return Array.from({ length: GROUPS }, (_, i) =>
    letters.slice(i * GROUP_LETTERS, (i + 1) * GROUP_LETTERS).join(""),
  ).join("-");
}

/** As they are kept: random enough for a fast hash. However it was typed. */
export function recoveryHash(code: string): Uint8Array {
  const letters = code.toLowerCase().replace(/[^a-z0-9]/g, "");
  return tokenHash(letters.replaceAll("o", "0").replace(/[il]/g, "1"));
}
