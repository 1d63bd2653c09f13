import { X509Certificate } from "node:crypto";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Keep } from "../../driver/keep.ts";
import type { MakeCertificate, OwnIdentity } from "./wire.ts";

const FILE = "opcua-certificate.json";
const DAY_MS = 86_400_000;
export const CERTIFICATE = {
  validMs: 10 * 365 * DAY_MS,
  /** A PLC whose clock is behind must not find a certificate of the future: many hours behind are common. */
  backdateMs: 30 * DAY_MS,
  /** Renewed so long before it ends: whoever runs the server has to trust the new one, and wants to be told in time. */
  renewMs: 60 * DAY_MS,
} as const;

const Kept = Type.Object({
  applicationUri: Type.String({ minLength: 1, maxLength: 200 }),
  certificate: Type.String({ minLength: 1, maxLength: 20_000, description: "DER as base64" }),
  keyPem: Type.String({ minLength: 1, maxLength: 20_000 }),
});

/** Making one takes a tenth of a second; two sessions that start together shall not make two. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * The certificate by which servers know this gateway: made here at first need, kept where only the gateway reads it,
 * renewed with the same key and URI before it ends.
 * @param name a few characters that tell this gateway from others, in the application URI
 */
export function ownIdentity(
  keep: Keep,
  make: MakeCertificate,
  nowMs: number,
  name: () => string,
): Promise<OwnIdentity> {
  const mine = turn.then(() => open(keep, make, nowMs, name));
  turn = mine.catch(() => undefined);
  return mine;
}

async function open(
  keep: Keep,
  make: MakeCertificate,
  nowMs: number,
  name: () => string,
): Promise<OwnIdentity> {
  const kept = read(await keep.read(FILE));
  if (kept !== null && endsMs(kept) - nowMs > CERTIFICATE.renewMs) return kept;
  const made = await make({
    applicationUri: kept?.applicationUri ?? `urn:millrace:gateway:${name()}`,
    notBefore: new Date(nowMs - CERTIFICATE.backdateMs),
    notAfter: new Date(nowMs + CERTIFICATE.validMs),
    keyPem: kept?.keyPem ?? null,
  });
  const { applicationUri, certificate, keyPem } = made;
  await keep.write(
    FILE,
    JSON.stringify({ applicationUri, certificate: Buffer.from(certificate).toString("base64"), keyPem }),
  );
  return made;
}

const endsMs = ({ certificate }: OwnIdentity): number => Date.parse(new X509Certificate(certificate).validTo);

/** A damaged file is as none: the server will have to trust the next certificate, and says so. */
function read(text: string | null): OwnIdentity | null {
  if (text === null) return null;
  try {
    const kept: unknown = JSON.parse(text);
    if (!Value.Check(Kept, kept)) return null;
    const certificate = new Uint8Array(Buffer.from(kept.certificate, "base64"));
    new X509Certificate(certificate);
    return { applicationUri: kept.applicationUri, certificate, keyPem: kept.keyPem };
  } catch {
    return null;
  }
}
