import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { HUB_TRUST } from "@millrace/contract/wire/hub-trust";
import { certificatesIn, checkPair, factsOf, type TlsPair } from "./certificate.ts";
import { namesBeyond } from "./name-limits.ts";
import { issueCertificate, makeAuthority } from "./own-authority.ts";
import { readPair, writePair } from "./pem-file.ts";

/** Where the hub's certificate comes from. */
export interface CertificateSource {
  readonly kind: "files" | "own" | "acme";
  /** Authorities people and gateways are to trust, PEM; none when public ones sign. */
  readonly authorities: readonly string[];
  /** What the hub begins to serve with; `due` when it is only there until `renew` brings a better one. */
  first(): Promise<{ pair: TlsPair; due: boolean }>;
  /** A newer pair, or null when the one in use is the right one. Throws when getting one failed. */
  renew(used: TlsPair): Promise<TlsPair | null>;
  /** How long a look at it holds, ms. */
  readonly lookMs: number;
}

const FILES_LOOK_MS = 30_000;
const OWN_LOOK_MS = 3_600_000;

/** A certificate is renewed when a third of its life is left. */
export function isDue(pair: TlsPair, names: readonly string[], nowMs: number): boolean {
  try {
    checkPair(pair, names, nowMs);
  } catch {
    return true;
  }
  const { notBeforeMs, notAfterMs } = factsOf(pair.cert);
  return notAfterMs - nowMs < (notAfterMs - notBeforeMs) / 3;
}

const readSetting = async (setting: string, file: string): Promise<string> => {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new AppError("setting.wrong", `${setting}: the file "${file}" cannot be read.`, { cause });
  }
};

interface Files {
  certFile: string;
  keyFile: string;
  caFile: string | undefined;
  names: readonly string[];
  nowMs: () => number;
}

/** The operator's certificate. Changed files are taken when they hold a good pair; until then the old one stays. */
export async function filesSource(files: Files): Promise<CertificateSource> {
  const { certFile, keyFile, caFile, names, nowMs } = files;
  const read = async (): Promise<TlsPair> => ({
    cert: await readSetting("MILLRACE_TLS_CERT_FILE", certFile),
    key: await readSetting("MILLRACE_TLS_KEY_FILE", keyFile),
  });
  const named = (setting: string, thrown: unknown) =>
    new AppError("setting.wrong", `${setting}: ${thrown instanceof Error ? thrown.message : thrown}`, {
      cause: thrown,
    });
  let authorities: string[] = [];
  if (caFile !== undefined) {
    try {
      authorities = certificatesIn(await readSetting("MILLRACE_TLS_CA_FILE", caFile));
      if (authorities.length > HUB_TRUST.authoritiesMax)
        throw new Error(
          `it holds ${authorities.length} certificates, at most ${HUB_TRUST.authoritiesMax} are taken.`,
        );
      authorities.forEach(factsOf);
    } catch (thrown) {
      throw named("MILLRACE_TLS_CA_FILE", thrown);
    }
  }
  return {
    kind: "files",
    authorities,
    lookMs: FILES_LOOK_MS,
    async first() {
      const pair = await read();
      try {
        checkPair(pair, names, nowMs());
      } catch (thrown) {
        throw named("MILLRACE_TLS_CERT_FILE", thrown);
      }
      return { pair, due: false };
    },
    async renew(used) {
      const pair = await read();
      if (pair.cert === used.cert && pair.key === used.key) return null;
      checkPair(pair, names, nowMs());
      return pair;
    },
  };
}

/** An authority of the hub's own and the certificates it signs, all in `keys` of the data folder. */
export async function ownSource(input: {
  keysFolder: string;
  names: readonly string[];
  nowMs: () => number;
}): Promise<CertificateSource> {
  const { keysFolder, names, nowMs } = input;
  const authorityFile = join(keysFolder, "tls-authority.pem");
  const pairFile = join(keysFolder, "tls-own.pem");
  let authority = await readPair(authorityFile);
  if (authority === null) {
    authority = await makeAuthority(names, nowMs());
    await writePair(authorityFile, authority);
  }
  const signer = authority;
  try {
    checkPair(signer, [], nowMs());
  } catch (cause) {
    throw new AppError(
      "setting.wrong",
      `MILLRACE_DATA: ${authorityFile} is of no use any more (${cause instanceof Error ? cause.message : cause}). Restore it, or move it away to have a new authority made.`,
      { cause },
    );
  }
  const beyond = namesBeyond(signer.cert, names);
  if (beyond.length > 0)
    throw new AppError(
      "setting.wrong",
      `MILLRACE_TLS_NAMES: this hub's authority may not sign for ${beyond.join(", ")}; no phone would take it. Leave the name away, or move ${authorityFile} away to have a new authority made, which every phone must learn again.`,
    );
  const issue = async () => {
    const pair = await issueCertificate(signer, names, nowMs());
    await writePair(pairFile, pair);
    return pair;
  };
  const signedByOurs = (pair: TlsPair) =>
    certificatesIn(pair.cert).length === 2 && pair.cert.endsWith(signer.cert);
  return {
    kind: "own",
    authorities: [signer.cert],
    lookMs: OWN_LOOK_MS,
    async first() {
      const kept = await readPair(pairFile);
      const good = kept !== null && signedByOurs(kept) && !isDue(kept, names, nowMs());
      return { pair: good ? kept : await issue(), due: false };
    },
    renew: async (used) => (isDue(used, names, nowMs()) ? await issue() : null),
  };
}
