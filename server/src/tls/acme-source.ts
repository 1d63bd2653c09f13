import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "@millrace/contract/std/clock";
import { readIfThere, writePrivate } from "../private-file.ts";
import { orderCertificate } from "./acme-client.ts";
import { checkPair } from "./certificate.ts";
import { issueCertificate, makeAuthority, makeRequest } from "./own-authority.ts";
import { readPair, writePair } from "./pem-file.ts";
import { type CertificateSource, isDue } from "./source.ts";

const LOOK_MS = 3_600_000;

export interface AcmeInput {
  keysFolder: string;
  names: readonly string[];
  directoryUrl: string;
  contact: string | undefined;
  answers: Map<string, string>;
  clock: Clock;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
}

async function accountKeyIn(folder: string): Promise<string> {
  const file = join(folder, "acme-account.pem");
  const kept = await readIfThere(file);
  if (kept !== null) return kept;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  await writePrivate(file, pem);
  return pem;
}

/**
 * Certificates of an ACME authority. The hub does not wait for the first one: until it comes, the hub serves with one
 * that nobody trusts, and gateways stay away.
 */
export async function acmeSource(input: AcmeInput): Promise<CertificateSource> {
  const { keysFolder, names, clock } = input;
  const file = join(keysFolder, "tls-acme.pem");
  const accountKey = await accountKeyIn(keysFolder);
  let kept = await readPair(file);
  return {
    kind: "acme",
    authorities: [],
    lookMs: LOOK_MS,
    async first() {
      const nowMs = clock.nowMs();
      if (kept !== null && serves(kept, names, nowMs)) return { pair: kept, due: isDue(kept, names, nowMs) };
      kept = null;
      return { pair: await issueCertificate(await makeAuthority(names, nowMs), names, nowMs), due: true };
    },
    async renew(used) {
      if (kept !== null && used.cert === kept.cert && !isDue(used, names, clock.nowMs())) return null;
      const { key, request } = await makeRequest(names);
      const cert = await orderCertificate({ ...input, accountKey }, names, request);
      const pair = { key, cert };
      checkPair(pair, names, clock.nowMs());
      await writePair(file, pair);
      kept = pair;
      return pair;
    },
  };
}

function serves(pair: Parameters<typeof checkPair>[0], names: readonly string[], nowMs: number): boolean {
  try {
    checkPair(pair, names, nowMs);
    return true;
  } catch {
    return false;
  }
}
