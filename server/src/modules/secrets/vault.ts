import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import type { SecretOwner } from "../../db/schema/secret.ts";

/** One value of one secret setting as it lies in the database. */
export interface StoredSecret {
  id: string;
  ownerKind: SecretOwner;
  ownerId: string;
  setting: string;
  ciphertext: Uint8Array;
}

const CIPHER = "aes-256-gcm";
/** First byte of a ciphertext, so that another way of encrypting can come one day. */
const FORM = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Authenticated with the value: a ciphertext copied to another row does not open there. */
const boundTo = ({ id, ownerKind, ownerId, setting }: Omit<StoredSecret, "ciphertext">): Buffer =>
  Buffer.from(`millrace-secret-v1\n${canonicalJson({ id, ownerKind, ownerId, setting })}`);

/** Encrypts what lies in the database: AES-256-GCM, {form, nonce, tag, ciphertext} as bytes. */
export class Vault {
  readonly #key: Uint8Array;

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  keep(about: Omit<StoredSecret, "ciphertext">, value: unknown): StoredSecret {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(boundTo(about));
    const inner = Buffer.concat([cipher.update(JSON.stringify(value), "utf8"), cipher.final()]);
    const ciphertext = Buffer.concat([Buffer.from([FORM]), nonce, cipher.getAuthTag(), inner]);
    return { ...about, ciphertext };
  }

  /** The value; null when this key does not open it, or it was changed or moved in the database. */
  open(stored: StoredSecret): { value: unknown } | null {
    const bytes = Buffer.from(stored.ciphertext);
    const [nonceAt, tagAt] = [1, 1 + NONCE_BYTES];
    const innerAt = tagAt + TAG_BYTES;
    if (bytes[0] !== FORM || bytes.length < innerAt) return null;
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(nonceAt, tagAt), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(boundTo(stored));
    decipher.setAuthTag(bytes.subarray(tagAt, innerAt));
    try {
      const text = Buffer.concat([decipher.update(bytes.subarray(innerAt)), decipher.final()]);
      return { value: JSON.parse(text.toString("utf8")) };
    } catch {
      return null;
    }
  }
}
