import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { readIfThere, writeDurably } from "./durable-file.ts";

const KEY_FILE = "gateway-key.pem";

/** The gateway's Ed25519 key. The private half never leaves this object and its file. */
export interface GatewayKey {
  /** Raw 32-byte public key, base64url. */
  readonly publicKey: string;
  /** For a person to compare at both ends. */
  readonly fingerprint: string;
  /** Ed25519 over the UTF-8 bytes, base64url. */
  sign(text: string): string;
}

/** First 16 hex digits of SHA-256 over the raw public key, in groups of four (`security.md`: enrolment). */
export function fingerprintOf(publicKey: string): string {
  const hex = createHash("sha256").update(Buffer.from(publicKey, "base64url")).digest("hex");
  return hex.slice(0, 16).match(/.{4}/g)!.join(" ");
}

/** True when `signature` (base64url) over the text was made with the private half of `publicKey` (raw, base64url). */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
    return verify(null, Buffer.from(text, "utf8"), key, Buffer.from(signature, "base64url"));
  } catch {
    // A key or signature of the wrong shape is just not a valid signature.
    return false;
  }
}

/**
 * Opens the gateway's key, or makes one at first start. A key that exists is always used again: a second enrolment
 * must not orphan the first.
 * @throws AppError `setting.wrong` when the file holds something else than an Ed25519 private key.
 */
export async function openKey(folder: string): Promise<GatewayKey> {
  const path = join(folder, KEY_FILE);
  const pem = await readIfThere(path);
  if (pem !== null) return keyOf(readPem(pem, path));
  const { privateKey } = generateKeyPairSync("ed25519");
  await writeDurably(path, privateKey.export({ type: "pkcs8", format: "pem" }) as string);
  return keyOf(privateKey);
}

function readPem(pem: string, path: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // The parser's own message may quote key material, so it goes nowhere.
  }
  throw new AppError(
    "setting.wrong",
    `${path} does not hold an Ed25519 private key. Restore it, or move it away and enrol this gateway again.`,
    { context: { path } },
  );
}

function keyOf(privateKey: KeyObject): GatewayKey {
  const publicKey = createPublicKey(privateKey).export({ format: "jwk" }).x as string;
  return {
    publicKey,
    fingerprint: fingerprintOf(publicKey),
    sign: (text) => sign(null, Buffer.from(text, "utf8"), privateKey).toString("base64url"),
  };
}
