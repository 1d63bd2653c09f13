// A gateway that comes back after hours without its hub: fills its buffer as those hours would have, a frame each
// 250 ms, then connects while its made-up machines go on. The drain benchmark starts it. Settings as for a gateway, and:
//   BACKLOG_HOURS, BACKLOG_RATE (samples a second)
// Prints {"event":"backlog.filled"} and {"event":"backlog.drained", ...}.
import { type Clock, systemClock } from "@millrace/contract/std/clock";
import { LIMITS } from "@millrace/contract/wire/limits";
import { percentile } from "./ack-meter.ts";
import { openLoadGateway, say } from "./load-gateway.ts";
import { SyntheticPlant } from "./synthetic-plant.ts";

const HOUR_MS = 3_600_000;

/** The time of the hours that are made up, later the machine's own. */
class ShiftedClock implements Clock {
  shiftMs = 0;
  nowMs = () => systemClock.nowMs() + this.shiftMs;
  monoMs = systemClock.monoMs;
  sleep = systemClock.sleep;
  after = systemClock.after;
}

const backlogMs = Number(process.env.BACKLOG_HOURS ?? 8) * HOUR_MS;
const rate = Number(process.env.BACKLOG_RATE ?? 5_000);
const perSeal = Math.round((rate * LIMITS.sealMs) / 1_000);

const clock = new ShiftedClock();
const gateway = await openLoadGateway(clock, 48 * HOUR_MS);
const { outbox, meter } = gateway;
const first = gateway.uplink();
first.start();
const tags = (await gateway.manifest).devices.flatMap((device) => device.tags);
while ((await outbox.stats()).framesUnsent > 0) await systemClock.sleep(50);
first.stop();

/** Every tag once a second: the plant steps 10 ms a round, so its time is set by us. */
const endMs = systemClock.nowMs();
const plant = new SyntheticPlant(tags, endMs - backlogMs);
let backlog = 0;
const fillStartedMs = performance.now();
for (let atMs = endMs - backlogMs; atMs < endMs; atMs += LIMITS.sealMs) {
  clock.shiftMs = atMs - systemClock.nowMs();
  plant.push(outbox.sink, perSeal, atMs);
  backlog += perSeal;
  await outbox.seal();
}
clock.shiftMs = 0;
const filled = await outbox.stats();
say("backlog.filled", {
  samples: backlog,
  frames: filled.framesUnsent,
  bytes: filled.bytesUnsent,
  fillSeconds: (performance.now() - fillStartedMs) / 1_000,
});

meter.reset();
meter.latencySinceMs = systemClock.nowMs();
const uplink = gateway.uplink();
const beginMs = performance.now();
uplink.start();
let live = 0;
/** Ages of what the hub acknowledged of the present, while the past drains. */
for (let looked = 0; ; ) {
  const sinceMs = performance.now() - beginMs;
  const due = Math.floor((sinceMs / 1_000) * rate) - live;
  if (due >= perSeal) {
    plant.push(outbox.sink, due, systemClock.nowMs());
    live += due;
  }
  if (sinceMs - looked >= 200) {
    looked = sinceMs;
    const { framesUnsent } = await outbox.stats();
    if (framesUnsent <= 8) break;
  }
  await systemClock.sleep(20);
}
const seconds = (performance.now() - beginMs) / 1_000;
const ages = meter.latenciesMs.toSorted((a, b) => a - b);
say("backlog.drained", {
  samples: backlog,
  seconds,
  perSecond: backlog / seconds,
  liveFrames: ages.length,
  liveP50Ms: percentile(ages, 0.5),
  liveP99Ms: percentile(ages, 0.99),
  liveMaxMs: ages.at(-1) ?? 0,
  memoryBytes: process.memoryUsage.rss(),
});
uplink.stop();
await outbox.close();
process.exit(0);
