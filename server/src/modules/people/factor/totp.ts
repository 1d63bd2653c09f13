import { createHmac } from "node:crypto";

/** RFC 6238 as every authenticator app speaks it: SHA-1, six digits, half a minute. */
const STEP_MS = 30_000;
const DIGITS = 6;
/** A code of the step before and of the step after is taken too: clocks of phones differ. */
const STEPS_AROUND = 1;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648 base32 without padding. */
export function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(value >>> bits) & 31];
    }
    value &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET[(value << (5 - bits)) & 31] : text;
}

export function fromBase32(text: string): Uint8Array {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const letter of text) {
    value = (value << 5) | ALPHABET.indexOf(letter);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >>> bits) & 255);
    value &= (1 << bits) - 1;
  }
  return Uint8Array.from(bytes);
}

export const stepAt = (nowMs: number): number => Math.floor(nowMs / STEP_MS);

/** The code of a time step (RFC 4226, 5.3). */
export function codeOf(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const offset = mac[mac.length - 1]! & 15;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, "0");
}

/** The time step this code belongs to, of those that are taken now; null when it is of none. */
export function stepOfCode(secret: Uint8Array, code: string, nowMs: number): number | null {
  const now = stepAt(nowMs);
  for (let step = now - STEPS_AROUND; step <= now + STEPS_AROUND; step += 1)
    if (codeOf(secret, step) === code) return step;
  return null;
}

/** What an app reads from a QR code. */
export function totpUri(secret: string, email: string): string {
  const query = new URLSearchParams({
    secret,
    issuer: "Millrace",
    algorithm: "SHA1",
    digits: "6",
    period: "30",
  });
  return `otpauth://totp/Millrace:${encodeURIComponent(email)}?${query}`;
}
