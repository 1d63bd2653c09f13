// A gateway whose machines are made up: buffer, uplink and identity are the real ones, only the drivers are missing.
// The pipeline benchmark starts it as a process. Settings as for a gateway, and:
//   LOAD_SECONDS   how long to measure, after LOAD_WARM_UP_SECONDS
//   LOAD_RATE      samples a second; 0: as many as the hub acknowledges
// Prints {"event":"load.done", ...} at the end.
import { systemClock } from "@millrace/contract/std/clock";
import { percentile } from "./ack-meter.ts";
import { openLoadGateway, say } from "./load-gateway.ts";
import { SyntheticPlant } from "./synthetic-plant.ts";

/** Samples that may be on the way; more would only measure how long a queue is. */
const UNACKED_MAX = 400_000;
const SLICE = 20_000;
// What was delivered is dropped soon: the run measures a steady state, not a growing file.
const { outbox, meter, manifest, uplink: makeUplink } = await openLoadGateway(systemClock, 2_000);
const startedMs = systemClock.nowMs();
const uplink = makeUplink();
uplink.start();

const tags = (await manifest).devices.flatMap((device) => device.tags);
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
