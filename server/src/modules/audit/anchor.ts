import { createPublicKey, verify } from "node:crypto";
import { auditAnchorText } from "@millrace/contract/wire/signature";
import type { HubIdentity } from "../../ports.ts";

/** The head of the chain at a moment, signed by the hub. */
export interface Anchor {
  no: number;
  hash: Uint8Array;
  atMs: number;
  hubId: string;
  /** base64url, as the signature is. */
  publicKey: string;
  signature: string;
}

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const textOf = ({ hubId, no, hash, atMs }: Omit<Anchor, "signature" | "publicKey">): string =>
  auditAnchorText({ hubId, no, hash: hexOf(hash), atMs });

export function signAnchor(
  identity: HubIdentity,
  head: { no: number; hash: Uint8Array },
  atMs: number,
): Anchor {
  const { hubId, publicKey } = identity;
  const facts = { hubId, no: head.no, hash: head.hash, atMs };
  return { ...facts, publicKey, signature: identity.sign(textOf(facts)) };
}

/** Whether the key an anchor names signed exactly this; whose key that is, is another question. */
export function holdsSignature(anchor: Anchor): boolean {
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: anchor.publicKey }, format: "jwk" });
    return verify(null, Buffer.from(textOf(anchor)), key, Buffer.from(anchor.signature, "base64url"));
  } catch {
    return false;
  }
}
