import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { AppError } from "@millrace/contract/error/app-error";

/** A certificate with its chain and private key, both PEM. The key leaves this object for the listener alone. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateFacts {
  names: string[];
  notBeforeMs: number;
  notAfterMs: number;
  /** SHA-256 over the certificate as phones and browsers show it: hex pairs with colons. */
  fingerprint: string;
  subject: string;
  issuer: string;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** @throws AppError `certificate.wrong` when there is none */
export function certificatesIn(pem: string): string[] {
  const found = pem.match(PEM_CERTIFICATE);
  if (found === null) throw wrong("it holds no PEM certificate");
  return [...found];
}

export const wrong = (what: string, cause?: unknown): AppError =>
  new AppError("certificate.wrong", `The certificate cannot be used: ${what}.`, { cause });

/** @throws AppError `certificate.wrong` */
export function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw wrong("it cannot be read", cause);
  }
}

function namesOf({ subjectAltName = "" }: X509Certificate): string[] {
  const names = subjectAltName
    .split(/,\s*/)
    .flatMap((part) => /^(?:DNS|IP Address):(.+)$/.exec(part)?.[1] ?? []);
  // As people write it: ::1 instead of eight groups.
  return names.map((name) => (isIP(name) === 6 ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name));
}

/** Absent when a certificate names nobody, as those with names alone do. */
const oneLine = (name: string | undefined): string => (name ?? "").replaceAll("\n", ", ");

export function factsOf(pem: string): CertificateFacts {
  const certificate = parseCertificate(certificatesIn(pem)[0]!);
  return {
    names: namesOf(certificate),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256,
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
  };
}

/** True when a client that asks for `name` takes this certificate. */
const covers = (certificate: X509Certificate, name: string): boolean =>
  (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined;

/**
 * Refuses what no client would take.
 * @param names names the certificate must be for
 * @throws AppError `certificate.wrong`; it never quotes the key
 */
export function checkPair({ cert, key }: TlsPair, names: readonly string[], nowMs: number): void {
  const leaf = parseCertificate(certificatesIn(cert)[0]!);
  let fits: boolean;
  try {
    fits = leaf.checkPrivateKey(createPrivateKey(key));
  } catch {
    // The parser's own message may quote key material, so it goes nowhere.
    throw wrong("its private key cannot be read");
  }
  if (!fits) throw wrong("its private key belongs to another one");
  if (Date.parse(leaf.validTo) <= nowMs) throw wrong(`it expired at ${leaf.validTo}`);
  if (Date.parse(leaf.validFrom) > nowMs) throw wrong(`it is not valid before ${leaf.validFrom}`);
  const missing = names.filter((name) => !covers(leaf, name));
  if (missing.length > 0) throw wrong(`it is not for ${missing.join(", ")}`);
}

/** What a claim command pins: SHA-256 over the public key, so that a renewed certificate of the same key keeps it. */
export function authorityPin(pem: string): string {
  const spki = parseCertificate(pem).publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(spki).digest("hex")}`;
}
