import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { isSealed } from "@millrace/contract/vocabulary/secret";
import { SEAL } from "@millrace/contract/wire/sealed";
import { readIfThere, writeDurably } from "./durable-file.ts";

const log = getLogger(["gateway", "identity"]);

const KEY_FILE = "sealing-key.pem";

/** The gateway's X25519 key, for which the hub seals secrets. The private half never leaves this object and its file. */
export interface SealingKey {
  /** Raw 32-byte public key, base64url. */
  readonly publicKey: string;
  /** Settings with what is sealed in them opened. What does not open stays as it is, and the driver refuses it. */
  opened(settings: Record<string, unknown>, placeOf: (setting: string) => string): Record<string, unknown>;
}

/**
 * Opens the key, or makes one. A file that holds none is replaced, as the hub seals everything for the new key once it
 * has seen it; until then devices with secrets stand still.
 */
export async function openSealingKey(folder: string): Promise<SealingKey> {
  const path = join(folder, KEY_FILE);
  const known = readPem(await readIfThere(path));
  if (known !== null) return keyOf(known);
  const { privateKey } = generateKeyPairSync("x25519");
  await writeDurably(path, privateKey.export({ type: "pkcs8", format: "pem" }) as string);
  return keyOf(privateKey);
}

function readPem(pem: string | null): KeyObject | null {
  if (pem === null) return null;
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "x25519") return key;
  } catch {
    // The parser's own message may quote key material, so it goes nowhere.
  }
  log.warn("{file} holds no X25519 key: a new one is made, and the hub seals for it", { file: KEY_FILE });
  return null;
}

function keyOf(privateKey: KeyObject): SealingKey {
  const publicKey = createPublicKey(privateKey).export({ format: "jwk" }).x as string;
  const raw = Buffer.from(publicKey, "base64url");
  return {
    publicKey,
    opened: (settings, placeOf) =>
      Object.fromEntries(
        Object.entries(settings).map(([name, value]) => {
          const open = isSealed(value) ? unseal({ privateKey, raw }, placeOf(name), value.sealed) : null;
          return [name, open === null ? value : open.value];
        }),
      ),
  };
}

/** @returns null for what was sealed for another key or another place, or was changed on the way */
function unseal(
  { privateKey, raw }: { privateKey: KeyObject; raw: Buffer },
  place: string,
  sealed: string | null,
): { value: unknown } | null {
  const bytes = Buffer.from(sealed ?? "", "base64url");
  if (bytes.length <= SEAL.publicKeyBytes + SEAL.tagBytes) return null;
  const once = bytes.subarray(0, SEAL.publicKeyBytes);
  try {
    const key = { kty: "OKP", crv: "X25519", x: once.toString("base64url") };
    const shared = diffieHellman({ privateKey, publicKey: createPublicKey({ key, format: "jwk" }) });
    const salt = Buffer.concat([once, raw]);
    const derived = Buffer.from(hkdfSync("sha256", shared, salt, SEAL.info, SEAL.keyBytes + SEAL.nonceBytes));
    const decipher = createDecipheriv(
      "aes-256-gcm",
      derived.subarray(0, SEAL.keyBytes),
      derived.subarray(SEAL.keyBytes),
      { authTagLength: SEAL.tagBytes },
    );
    decipher.setAAD(Buffer.from(place, "utf8"));
    decipher.setAuthTag(bytes.subarray(-SEAL.tagBytes));
    const inner = bytes.subarray(SEAL.publicKeyBytes, -SEAL.tagBytes);
    const text = Buffer.concat([decipher.update(inner), decipher.final()]).toString("utf8");
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}
