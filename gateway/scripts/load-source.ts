// A gateway whose machines are made up: buffer, uplink and identity are the real ones, only the drivers are missing.
// The pipeline benchmark starts it as a process. Settings as for a gateway, and:
//   LOAD_SECONDS   how long to measure, after LOAD_WARM_UP_SECONDS
//   LOAD_RATE      samples a second; 0: as many as the hub acknowledges
// Prints {"event":"load.done", ...} at the end.
import { systemClock, systemRandom } from "@millrace/contract/std/clock";
import { FRAME_HEADER_BYTES, readFrameHeader } from "@millrace/contract/wire/frame";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { streamText } from "@millrace/contract/wire/stream";
import { enrol } from "../src/identity/enrol.ts";
import { bootIdentity, openIdentityFolder } from "../src/identity/identity.ts";
import { openManifestStore } from "../src/manifest/store.ts";
import { type Outbox, openOutbox } from "../src/outbox/outbox.ts";
import { readSettings } from "../src/settings.ts";
import { createUplink } from "../src/uplink/uplink.ts";
import { SyntheticPlant } from "./synthetic-plant.ts";

/** Samples that may be on the way; more would only measure how long a queue is. */
const UNACKED_MAX = 400_000;
const SLICE = 20_000;
const SOFTWARE = "load-source";

const say = (event: string, fields: object) => console.log(JSON.stringify({ event, ...fields }));

/** Sees each envelope go out and each ack come back, between uplink and outbox, and takes the time. */
class AckMeter {
  readonly latenciesMs: number[] = [];
  samplesAcked = 0;
  bytesAcked = 0;
  private readonly open = new Map<
    string,
    Map<number, { sealedMs: number; samples: number; bytes: number }>
  >();

  watch(outbox: Outbox): Outbox {
    const frames: Outbox["frames"] = async (key, afterSeq, bytesMax) => {
      const envelope = await outbox.frames(key, afterSeq, bytesMax);
      if (envelope.bytes) this.sent(streamText(key), envelope.bytes);
      return envelope;
    };
    const acknowledge: Outbox["acknowledge"] = async (key, hwm) => {
      this.acked(streamText(key), hwm);
      await outbox.acknowledge(key, hwm);
    };
    return new Proxy(outbox, {
      get: (target, name) => {
        if (name === "frames") return frames;
        if (name === "acknowledge") return acknowledge;
        const found: unknown = Reflect.get(target, name, target);
        return typeof found === "function" ? found.bind(target) : found;
      },
    });
  }

  reset(): void {
    this.latenciesMs.length = 0;
    this.samplesAcked = 0;
    this.bytesAcked = 0;
  }

  private sent(stream: string, bytes: Uint8Array): void {
    const frames = this.open.get(stream) ?? new Map();
    this.open.set(stream, frames);
    for (let at = 0; at < bytes.length; ) {
      const { header, bodyBytes } = readFrameHeader(bytes, at);
      const frameBytes = FRAME_HEADER_BYTES + bodyBytes;
      frames.set(header.first, { sealedMs: header.wallMs, samples: header.sampleCount, bytes: frameBytes });
      at += frameBytes;
    }
  }

  private acked(stream: string, hwm: number): void {
    const now = systemClock.nowMs();
    for (const [seq, { sealedMs, samples, bytes }] of this.open.get(stream) ?? []) {
      if (seq > hwm) break;
      this.open.get(stream)!.delete(seq);
      this.latenciesMs.push(now - sealedMs);
      this.samplesAcked += samples;
      this.bytesAcked += bytes;
    }
  }
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

async function openGateway() {
  const settings = readSettings(process.env);
  const folder = settings.dataFolder;
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
    clock: systemClock,
    // What was delivered is dropped soon: the run measures a steady state, not a growing file.
    ackedKeepMs: 2_000,
    onReport: ({ message }) => fail(message),
    onCrash: (error) => fail(error.message),
  });
  return { settings, folder, enrolled, identity, outbox };
}

const { settings, folder, enrolled, identity, outbox } = await openGateway();
const meter = new AckMeter();
const tagsKnown = Promise.withResolvers<Manifest>();
const manifest = await openManifestStore({
  folder,
  scope: {
    hubId: enrolled.hubId,
    gatewayId: enrolled.gatewayId,
    hubPublicKey: enrolled.hubPublicKey,
  },
  apply: (accepted) => tagsKnown.resolve(accepted),
});
const startedMs = systemClock.nowMs();
const uplink = createUplink({
  hubUrl: settings.hubUrl,
  identity,
  outbox: meter.watch(outbox),
  manifest,
  software: SOFTWARE,
  clock: systemClock,
  random: systemRandom,
  status: async () => ({
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
  }),
});
uplink.start();

const tags = (await tagsKnown.promise).devices.flatMap((device) => device.tags);
// Behind the present by more than the run can make up, so that no sample lies in the hub's future.
const plant = new SyntheticPlant(tags, startedMs - 3_600_000);
const rate = Number(process.env.LOAD_RATE ?? 0);
const warmUpMs = Number(process.env.LOAD_WARM_UP_SECONDS ?? 3) * 1_000;
const measureMs = Number(process.env.LOAD_SECONDS ?? 10) * 1_000;

let pushed = 0;
let acked = 0;
const beginMs = performance.now();
let measuring = false;
let pushedBefore = 0;
for (;;) {
  const sinceMs = performance.now() - beginMs;
  if (!measuring && sinceMs >= warmUpMs) {
    measuring = true;
    acked += meter.samplesAcked;
    meter.reset();
    pushedBefore = pushed;
    say("load.measuring", { tags: tags.length });
  }
  if (sinceMs >= warmUpMs + measureMs) break;
  const due = rate > 0 ? Math.floor((sinceMs / 1_000) * rate) - pushed : SLICE;
  const room = UNACKED_MAX - (pushed - acked - meter.samplesAcked);
  const count = Math.max(0, Math.min(SLICE, due, room));
  if (count > 0) {
    plant.push(outbox.sink, count);
    pushed += count;
    if (rate === 0) void outbox.seal();
  }
  // Gives the socket and the worker their turn; a full pause only when there is nothing to do.
  if (count === SLICE) await new Promise<void>((resume) => setImmediate(resume));
  else await systemClock.sleep(1);
}
const latencies = meter.latenciesMs.toSorted((a, b) => a - b);
say("load.done", {
  tags: tags.length,
  seconds: measureMs / 1_000,
  pushed: pushed - pushedBefore,
  acked: meter.samplesAcked,
  bytes: meter.bytesAcked,
  ackP50Ms: percentile(latencies, 0.5),
  ackP99Ms: percentile(latencies, 0.99),
  frames: latencies.length,
});
uplink.stop();
await outbox.close();
process.exit(0);
