import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Cookies } from "./cookies.ts";

/** How a session's token lies in the database: it opens nothing. SHA-256, base64url. */
export const sessionTokenHash = (token: string): string =>
  createHash("sha256").update(token).digest("base64url");

const signatureOf = (token: string, secret: string): string =>
  createHmac("sha256", secret).update(token).digest("base64url");

/** A session's token as its cookie holds it: with the hub's signature, so that guesses never reach the database. */
export const signedToken = (token: string, secret: string): string =>
  `${token}.${signatureOf(token, secret)}`;

/** The token of a cookie this hub signed, or null. */
export function readSignedToken(signed: string, secret: string): string | null {
  const [token = "", signature = "", ...more] = signed.split(".");
  const [found, right] = [Buffer.from(signature), Buffer.from(signatureOf(token, secret))];
  const isOurs = more.length === 0 && found.length === right.length && timingSafeEqual(found, right);
  return isOurs ? token : null;
}

/** Hash of the token that came with a request; null without a cookie of ours. */
export function sessionHashOf(
  { cookies, secret }: { cookies: Cookies; secret: string },
  headers: Headers,
): string | null {
  const signed = cookies.read(headers, "session");
  const token = signed === null ? null : readSignedToken(signed, secret);
  return token === null ? null : sessionTokenHash(token);
}
