import "reflect-metadata";
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { TlsPair } from "./certificate.ts";
import { nameLimits } from "./name-limits.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 86_400_000;

/** Phones are made to trust it by hand, so it lasts. */
const AUTHORITY_DAYS = 3_650;
/** Renewed at a third of it; phones take at most 397 days. */
export const LEAF_DAYS = 90;
/** Clocks of gateways and phones may lag. */
const EARLY_DAYS = 1;

const makeKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);

const pemOfKey = async (key: CryptoKey): Promise<string> =>
  `${PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;

/** Positive and not guessable (RFC 5280 4.1.2.2; the first bit makes no negative number). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString("hex");
}

const alternativeNames = (names: readonly string[]) =>
  new SubjectAlternativeNameExtension(
    names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }) as const),
  );

/** An authority of the hub's own, for these names and what is private (`name-limits.ts`), and for nothing else. */
export async function makeAuthority(names: readonly string[], nowMs: number): Promise<TlsPair> {
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    // Two hubs in one phone's list are told apart by the number.
    name: `CN=Millrace hub authority ${randomBytes(3).toString("hex")}`,
    notBefore: new Date(nowMs - EARLY_DAYS * dayMs),
    notAfter: new Date(nowMs + AUTHORITY_DAYS * dayMs),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      nameLimits(names),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await pemOfKey(keys.privateKey) };
}

/** A certificate for the hub with a fresh key, signed by its authority. Names are host names and IP addresses. */
export async function issueCertificate(
  authority: TlsPair,
  names: readonly string[],
  nowMs: number,
): Promise<TlsPair> {
  const issuer = new X509Certificate(authority.cert);
  const der = PemConverter.decode(authority.key)[0]!;
  const signingKey = await crypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: "CN=Millrace hub",
    issuer: issuer.subject,
    notBefore: new Date(nowMs - EARLY_DAYS * dayMs),
    notAfter: new Date(nowMs + LEAF_DAYS * dayMs),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      alternativeNames(names),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  // With its authority behind it, a phone that looks at an unknown certificate shows by whom it is.
  return {
    cert: `${certificate.toString("pem")}\n${authority.cert}`,
    key: await pemOfKey(keys.privateKey),
  };
}

/** A fresh key and a request to certify it for the names; the request DER in base64url, as RFC 8555 7.4 wants it. */
export async function makeRequest(names: readonly string[]): Promise<{ key: string; request: string }> {
  const keys = await makeKeys();
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [alternativeNames(names)],
  });
  return {
    key: await pemOfKey(keys.privateKey),
    request: Buffer.from(request.rawData).toString("base64url"),
  };
}
