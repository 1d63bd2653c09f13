import { type Clock, systemClock, systemRandom } from "@millrace/contract/std/clock";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { enrol } from "../src/identity/enrol.ts";
import { bootIdentity, openIdentityFolder } from "../src/identity/identity.ts";
import { openManifestStore } from "../src/manifest/store.ts";
import { type Outbox, openOutbox } from "../src/outbox/outbox.ts";
import { readSettings, type Settings } from "../src/settings.ts";
import { createUplink, type Uplink } from "../src/uplink/uplink.ts";
import { AckMeter } from "./ack-meter.ts";

const SOFTWARE = "load-source";

export const say = (event: string, fields: object) => console.log(JSON.stringify({ event, ...fields }));

/** A gateway without drivers: buffer, uplink and identity are the real ones. */
export interface LoadGateway {
  outbox: Outbox;
  meter: AckMeter;
  /** Resolves with the manifest the hub sends. */
  manifest: Promise<Manifest>;
  /** A fresh uplink, not started. */
  uplink(): Uplink;
}

async function enrolledIn(folder: string, settings: Settings) {
  const { key, state } = await openIdentityFolder(folder);
  const enrolled =
    state ??
    (await enrol({
      folder,
      key,
      hubUrl: settings.hubUrl,
      claimToken: settings.claimToken ?? "",
      software: SOFTWARE,
      clock: systemClock,
      random: systemRandom,
      fetch,
    }));
  return { key, enrolled };
}

/**
 * Opens one with the settings of the environment, enrolling it where needed.
 * @param clock of the buffer: what it seals carries this time
 */
export async function openLoadGateway(clock: Clock, ackedKeepMs: number): Promise<LoadGateway> {
  const settings = readSettings(process.env);
  const folder = settings.dataFolder;
  const { key, enrolled } = await enrolledIn(folder, settings);
  const identity = await bootIdentity(folder, key, enrolled);
  const fail = (what: string) => {
    say("load.failed", { what });
    process.exit(1);
  };
  const outbox = await openOutbox({
    folder,
    epoch: enrolled.epoch,
    renewEpoch: identity.renewEpoch,
    bootNo: identity.bootNo,
    clock,
    bytesQuota: settings.outboxBytesMax,
    ackedKeepMs,
    onReport: ({ message }) => fail(message),
    onCrash: (error) => fail(error.message),
  });
  const meter = new AckMeter();
  const watched = meter.watch(outbox);
  const known = Promise.withResolvers<Manifest>();
  const manifest = await openManifestStore({
    folder,
    scope: enrolled,
    apply: (accepted) => known.resolve(accepted),
  });
  const startedMs = systemClock.nowMs();
  const status = async (uplink: Uplink) => ({
    software: SOFTWARE,
    startedMs,
    nowMs: systemClock.nowMs(),
    cpuShare: 0,
    memoryBytes: process.memoryUsage.rss(),
    diskFreeBytes: 0,
    clockOffsetMs: uplink.link().clockOffsetMs,
    manifestRev: manifest.current()?.rev ?? 0,
    outbox: await outbox.stats(),
    devices: [],
  });
  return {
    outbox,
    meter,
    manifest: known.promise,
    uplink: () => {
      const uplink: Uplink = createUplink({
        hubUrl: settings.hubUrl,
        identity,
        outbox: watched,
        manifest,
        software: SOFTWARE,
        clock: systemClock,
        random: systemRandom,
        status: () => status(uplink),
      });
      return uplink;
    },
  };
}
