import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "@millrace/contract/std/clock";
import { systemClock } from "@millrace/contract/std/clock";
import { decodeEvents, encodeEvents, type GatewayEvent } from "@millrace/contract/wire/event";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import { FieldDesk } from "../src/field/desk.ts";
import { Machine } from "../src/health/machine.ts";
import { openLocal } from "../src/local/open.ts";
import { readSettings } from "../src/settings.ts";
import { Fleet } from "../src/supervisor/fleet.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeSink } from "./fake-plant.ts";
import { LocalVisitor } from "./local-visitor.ts";

export const FIRST_PIN = "47110815";
export const OWN_PIN = "93810246";

export interface RigOptions {
  env?: Record<string, string>;
  devices?: ManifestDevice[];
  folder?: string;
  idleS?: number;
}

/** The local page over a real socket, with the gateway's own parts behind it and time held by the test. */
export async function localRig({ env = {}, devices = [], folder: given, idleS }: RigOptions = {}) {
  const folder = given ?? (await mkdtemp(join(tmpdir(), "millrace-local-")));
  const settings = readSettings({
    MILLRACE_DATA: folder,
    MILLRACE_LOCAL_PORT: "0",
    MILLRACE_LOCAL_PIN: FIRST_PIN,
    ...env,
  });
  // The page's time is the test's; devices and sockets keep real time.
  const clock = new FakeClock();
  const real: Clock = systemClock;
  const fleet = new Fleet({ clock: real, random: () => 0.5, sink: new FakeSink(real) });
  await fleet.apply({ rev: 7, devices });
  const field = new FieldDesk({ clock: real, fleet });
  const machine = new Machine(real, folder);
  const events: GatewayEvent[] = [];
  let changes = 0;
  let durable = true;
  const status = () => ({
    software: "millrace-gateway test",
    startedMs: clock.nowMs(),
    nowMs: clock.nowMs(),
    cpuShare: 0,
    memoryBytes: 1,
    diskFreeBytes: 1e12,
    clockOffsetMs: null,
    manifestRev: 7,
    outbox: {
      framesUnsent: 0,
      samplesUnsent: 0,
      bytesUnsent: 0,
      bytesUsed: 0,
      bytesQuota: 1e9,
      oldestUnsentMs: null,
      samplesLost: 0,
      durable,
    },
    devices: fleet.statuses(),
  });
  const local = await openLocal({
    settings,
    clock,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    fleet,
    field,
    view: async () => ({
      gatewayName: "Press <hall>",
      gatewayId: "00000000-0000-7000-8000-0000000000bb",
      fingerprint: "aaaa bbbb",
      manifestProblem: "",
      status: status(),
      machine: machine.last(),
      hub: { url: "https://hub.example", up: false, sinceMs: clock.nowMs(), code: "", reason: "" },
      devices: fleet.devices(),
      bus: { clock: real, connections: fleet.connections() },
    }),
    // Through the wire's own check: what it refuses would block the lane.
    report: (event) => void events.push(...decodeEvents(encodeEvents([event]))),
    onChange: () => {
      changes++;
    },
    ...(idleS === undefined ? {} : { idleS }),
  });
  return {
    local,
    clock,
    folder,
    fleet,
    field,
    events,
    codes: () => events.map(({ code }) => code),
    changes: () => changes,
    refuseDisk: () => {
      durable = false;
    },
    visitor: (more?: Record<string, string>) => new LocalVisitor(local.url, more),
    /** Somebody who signed in and chose a PIN. */
    async inside(name = "Ada") {
      const visitor = new LocalVisitor(local.url);
      await visitor.enter(FIRST_PIN, OWN_PIN, name);
      return visitor;
    },
    async [Symbol.asyncDispose]() {
      await local.stop();
      await field.stop();
      await fleet.stop();
      if (given === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
