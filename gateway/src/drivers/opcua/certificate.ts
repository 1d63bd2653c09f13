import { createHash, X509Certificate } from "node:crypto";
import type { PeerCertificate } from "@millrace/contract/vocabulary/certificate";

const hex = (algorithm: "sha1" | "sha256", der: Uint8Array): string =>
  createHash(algorithm).update(der).digest("hex");

export const fingerprintOf = (der: Uint8Array): string => hex("sha256", der);

/** Servers may send their whole chain; the first certificate is their own. @throws Error for bytes that are none */
export function firstOf(chain: Uint8Array): Uint8Array {
  return new Uint8Array(new X509Certificate(chain).raw);
}

/** Control characters are no part of a name; databases refuse some of them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f]/g, "?");
const line = (name: string): string => plain(name.split("\n").reverse().join(", ")).slice(0, 300);
const timeMs = (text: string): number => Date.parse(text) || 0;

/** Names of the extension "subject alternative name", without their kinds. */
export const namesOf = (certificate: X509Certificate): string[] =>
  (certificate.subjectAltName ?? "")
    .split(", ")
    .map((entry) => entry.replace(/^(DNS|URI|IP Address):/, "").replace(/^"(.*)"$/, "$1"))
    .filter((name) => name !== "");

/** What a person compares before trusting. */
export function describe(der: Uint8Array, endpoint: string): PeerCertificate {
  const certificate = new X509Certificate(der);
  return {
    endpoint,
    fingerprint: fingerprintOf(der),
    thumbprint: hex("sha1", der),
    subject: line(certificate.subject),
    issuer: line(certificate.issuer),
    names: namesOf(certificate)
      .map((name) => plain(name).slice(0, 200))
      .slice(0, 16),
    validFromMs: timeMs(certificate.validFrom),
    validToMs: timeMs(certificate.validTo),
  };
}

/** A fingerprint as displays show it, in groups that can be compared by eye. */
export const grouped = (fingerprint: string): string => (fingerprint.match(/.{1,4}/g) ?? []).join(" ");
