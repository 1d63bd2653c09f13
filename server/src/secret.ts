import { createHash, randomBytes } from "node:crypto";

/** A one-time or API token: 192 bits, base64url. */
export const newToken = (): string => randomBytes(24).toString("base64url");

/** How tokens are kept. They are random, so a fast hash gives nothing away. */
export const tokenHash = (token: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(createHash("sha256").update(token).digest());
