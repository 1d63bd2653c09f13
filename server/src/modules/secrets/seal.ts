import {
  createCipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { SECRET } from "@millrace/contract/vocabulary/secret";
import { SEAL } from "@millrace/contract/wire/sealed";

const rawOf = (key: KeyObject): Buffer => Buffer.from(String(key.export({ format: "jwk" }).x), "base64url");

/** Its JSON, filled up with spaces, which JSON does not see. */
function filled(value: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(value), "utf8");
  const length = Math.ceil(text.length / SECRET.blockBytes) * SECRET.blockBytes;
  return Buffer.concat([text, Buffer.alloc(length - text.length, " ")]);
}

/**
 * A value that only the holder of a private key can open, and only where `place` holds (`wire/sealed.ts` has the form).
 * @param sealKey X25519 public key, base64url
 * @returns null for a key that is none
 */
export function sealFor(sealKey: string, place: string, value: unknown): string | null {
  const once = generateKeyPairSync("x25519");
  let shared: Buffer;
  try {
    const publicKey = createPublicKey({ key: { kty: "OKP", crv: "X25519", x: sealKey }, format: "jwk" });
    shared = diffieHellman({ privateKey: once.privateKey, publicKey });
  } catch {
    // A point of low order: nothing would be secret.
    return null;
  }
  const oncePublic = rawOf(once.publicKey);
  const salt = Buffer.concat([oncePublic, Buffer.from(sealKey, "base64url")]);
  const derived = Buffer.from(hkdfSync("sha256", shared, salt, SEAL.info, SEAL.keyBytes + SEAL.nonceBytes));
  const [key, nonce] = [derived.subarray(0, SEAL.keyBytes), derived.subarray(SEAL.keyBytes)];
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: SEAL.tagBytes });
  cipher.setAAD(Buffer.from(place, "utf8"));
  const inner = Buffer.concat([cipher.update(filled(value)), cipher.final()]);
  return Buffer.concat([oncePublic, inner, cipher.getAuthTag()]).toString("base64url");
}
