import { canonicalJson } from "../std/canonical-json.ts";
import { isSealed } from "../vocabulary/secret.ts";

/**
 * Sealing for one gateway: base64url of {32 bytes of a one-time X25519 key, ciphertext, 16 bytes of tag}. The key of
 * AES-256-GCM and its nonce are the 44 bytes of HKDF-SHA-256 over the shared secret, with both public keys, the
 * one-time one first, as salt and `SEAL.info` as info. What is sealed is the value's JSON, filled up with spaces; the
 * text below is authenticated with it, so that a sealed value is worthless in any other place.
 */
export const SEAL = {
  info: "millrace-seal-v1",
  publicKeyBytes: 32,
  keyBytes: 32,
  nonceBytes: 12,
  tagBytes: 16,
} as const;

/** Where a sealed value belongs. */
export type SealPlace = { hubId: string; gatewayId: string; setting: string };

/** In a manifest, whose signature says of which device it is. */
export const manifestSealText = ({ hubId, gatewayId, setting }: SealPlace): string =>
  `millrace-sealed-manifest-v1\n${canonicalJson({ hubId, gatewayId, setting })}`;

/**
 * In a test at a device. Nobody signs such a question, so the rest of its settings is part of the place: with another
 * host the value does not open.
 */
export const fieldSealText = (
  { hubId, gatewayId, setting }: SealPlace,
  body: { driver: string; settings: Record<string, unknown> },
): string => {
  const open = Object.entries(body.settings).filter(([, value]) => !isSealed(value));
  const settings = Object.fromEntries(open);
  return `millrace-sealed-field-v1\n${canonicalJson({ hubId, gatewayId, setting, driver: body.driver, settings })}`;
};
