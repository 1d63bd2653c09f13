import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock, Random } from "@millrace/contract/std/clock";
import { isLoopback } from "@millrace/contract/std/loopback";
import { settingWrong } from "@millrace/contract/std/setting";
import type { Registry } from "prom-client";
import type { HubIdentity } from "../ports.ts";
import { acmeSource } from "./acme-source.ts";
import { factsOf, type TlsPair } from "./certificate.ts";
import type { HubTls } from "./hub-tls.ts";
import { CertificateKeeper } from "./keeper.ts";
import { startPlain } from "./plain.ts";
import { certificateNames, plainPortOf, type TlsSettings } from "./settings.ts";
import { type CertificateSource, filesSource, ownSource } from "./source.ts";
import { loadTrust } from "./trust.ts";

const logger = getLogger(["hub", "tls"]);

interface OpenDeps {
  identity: HubIdentity;
  clock: Clock;
  random: Random;
  registry: Registry;
  publicUrl: () => string;
}

export interface OpenedTls {
  hub: HubTls;
  /** What to listen with at first; null for plain http. */
  pair: TlsPair | null;
  /** Opens the plain port and begins to look after the certificate. */
  start(swap: (pair: TlsPair) => void): void;
  stop(): Promise<void>;
}

/** @throws AppError `setting.wrong` for a certificate no client would take */
export async function openHubTls(
  settings: TlsSettings & { dataFolder: string },
  deps: OpenDeps,
): Promise<OpenedTls> {
  const { identity, clock, random, registry, publicUrl } = deps;
  const keysFolder = join(settings.dataFolder, "keys");
  const answers = new Map<string, string>();
  const source = await sourceOf(settings, keysFolder, answers, clock);
  let swapTo = (_: TlsPair): void => {};
  const swap = (pair: TlsPair) => swapTo(pair);
  const keeper = source && (await CertificateKeeper.open({ source, clock, random, registry, swap }));
  const trust = await loadTrust(keysFolder, identity, keeper?.authorities ?? [], clock.nowMs());
  let plain: ReturnType<typeof startPlain> | null = null;
  const trustUrl = () => {
    const { hostname, origin } = new URL(publicUrl());
    return plain === null ? `${origin}/trust` : `http://${hostname}:${plain.port}/trust`;
  };
  const hub: HubTls = {
    keeper,
    trust,
    publicUrl,
    loopbackOnly: isLoopback(settings.host),
    plainPort: () => plain?.port ?? null,
    trustUrl,
  };
  return {
    hub,
    pair: keeper?.pair ?? null,
    start(take) {
      swapTo = take;
      plain = openPlain(settings, hub, answers);
      keeper?.start();
      for (const authority of keeper?.authorities ?? [])
        logger.info(
          "Certificates of this hub are signed by the authority {fingerprint}; phones learn it at {url}",
          {
            event: "certificate.authority",
            fingerprint: factsOf(authority).fingerprint,
            url: trustUrl(),
          },
        );
    },
    async stop() {
      await keeper?.stop();
      await plain?.stop(true);
    },
  };
}

function openPlain(settings: TlsSettings, hub: HubTls, answers: ReadonlyMap<string, string>) {
  const port = plainPortOf(settings);
  if (port === null) return null;
  try {
    return startPlain({ hostname: settings.host, port }, hub, answers);
  } catch (cause) {
    throw new AppError(
      "setting.wrong",
      `MILLRACE_PLAIN_PORT: the hub cannot listen at ${settings.host}:${port}; is it taken, or is it below 1024?`,
      { cause },
    );
  }
}

async function sourceOf(
  settings: TlsSettings,
  keysFolder: string,
  answers: Map<string, string>,
  clock: Clock,
): Promise<CertificateSource | null> {
  const names = certificateNames(settings);
  const nowMs = () => clock.nowMs();
  switch (settings.tls) {
    case "off":
      return null;
    case "own":
      return await ownSource({ keysFolder, names, nowMs });
    case "files": {
      const { tlsCertFile = "", tlsKeyFile = "", tlsCaFile } = settings;
      return await filesSource({
        certFile: tlsCertFile,
        keyFile: tlsKeyFile,
        caFile: tlsCaFile,
        names,
        nowMs,
      });
    }
    case "acme": {
      const { acmeDirectory, acmeContact, acmeCaFile } = settings;
      const ca = acmeCaFile === undefined ? undefined : await readCa(acmeCaFile);
      const tls = ca === undefined ? {} : { tls: { ca } };
      return await acmeSource({
        keysFolder,
        names,
        directoryUrl: acmeDirectory,
        contact: acmeContact,
        answers,
        clock,
        fetch: (url, init) => fetch(url, { ...init, ...tls }),
      });
    }
  }
}

const readCa = (file: string): Promise<string> =>
  readFile(file, "utf8").catch(() => {
    throw settingWrong("MILLRACE_ACME_CA_FILE", `the file "${file}" cannot be read.`);
  });
