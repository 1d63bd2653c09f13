import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { bootIdentity, type Identity, openIdentityFolder } from "../src/identity/identity.ts";
import { openManifestStore } from "../src/manifest/store.ts";
import { type Outbox, openOutbox } from "../src/outbox/outbox.ts";
import { createUplink, type Uplink, type UplinkInput } from "../src/uplink/uplink.ts";
import { FakeHub, GATEWAY_ID, HUB_ID } from "./fake-hub.ts";

export interface Rig extends AsyncDisposable {
  folder: string;
  hub: FakeHub;
  identity: Identity;
  outbox: Outbox;
  uplink: Uplink;
  applied: Manifest[];
}

type RigInput = Partial<Omit<UplinkInput, "outbox">> & {
  /** Puts something between the uplink and the real outbox. */
  outbox?: (real: Outbox) => UplinkInput["outbox"];
};

/** A real uplink, outbox and identity in a folder of their own, and a hub that does what its script says. */
export async function uplinkRig(over: RigInput = {}): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-uplink-"));
  const { key } = await openIdentityFolder(folder);
  const hub = new FakeHub(key.publicKey);
  const state = {
    gatewayId: GATEWAY_ID,
    gatewayName: "g",
    keyId: "k1",
    epoch: 1,
    hubId: HUB_ID,
    hubPublicKey: hub.publicKey,
    hubUrl: hub.url,
  };
  const identity = await bootIdentity(folder, key, state);
  const applied: Manifest[] = [];
  const manifest = await openManifestStore({ folder, scope: state, apply: (m) => void applied.push(m) });
  const outbox = await openOutbox({
    folder: join(folder, "outbox"),
    epoch: 1,
    renewEpoch: identity.renewEpoch,
    bootNo: identity.bootNo,
    clock: systemClock,
    sealMs: 20,
    onReport: () => undefined,
    onCrash: (error) => {
      throw error;
    },
  });
  const status = async (): Promise<GatewayStatus> => ({
    software: "test",
    startedMs: 0,
    nowMs: 0,
    cpuShare: 0,
    memoryBytes: 0,
    diskFreeBytes: 0,
    clockOffsetMs: null,
    manifestRev: 0,
    outbox: await outbox.stats(),
    devices: [],
  });
  const uplink = createUplink({
    hubUrl: hub.url,
    identity,
    manifest,
    status,
    software: "test",
    clock: systemClock,
    random: () => 0.05,
    ...over,
    outbox: over.outbox?.(outbox) ?? outbox,
    settings: {
      statusDebounceMs: 10,
      busyMs: 30,
      refusedMs: { min: 60_000, max: 60_000 },
      ...over.settings,
    },
  });
  return {
    folder,
    hub,
    identity,
    outbox,
    uplink,
    applied,
    [Symbol.asyncDispose]: async () => {
      uplink.stop();
      await outbox.close();
      await hub.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = systemClock.monoMs() + 10_000;
  while (!holds()) {
    if (systemClock.monoMs() > end) throw new Error(`never came true: ${what}`);
    await systemClock.sleep(5);
  }
}

export async function pushFrames({ outbox }: Rig, frames: number, from = 0): Promise<void> {
  for (let i = from; i < from + frames; i++) {
    outbox.sink.push(1, "double", i, 0, 1_000 + i);
    await outbox.flush();
  }
}
