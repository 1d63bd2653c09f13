// A gateway that sends a few samples all the time, as a plant does, and writes down what each acknowledgement took.
// `e2e/flood/ingest.ts` starts it as a process. Settings as for a gateway, and:
//   STEADY_RATE   samples a second
//   STEADY_FILE   one line for each acknowledged frame: wall time in ms of the ack, ms since the frame was sealed
// Runs until it is told to end.
import { appendFileSync } from "node:fs";
import { systemClock } from "@millrace/contract/std/clock";
import { openLoadGateway, say } from "./load-gateway.ts";
import { SyntheticPlant } from "./synthetic-plant.ts";

const WRITE_MS = 200;
/** Sealed more often than a gateway does by itself, so that a short stretch has enough acknowledgements for a p95. */
const SEAL_MS = 50;
const ACKED_KEEP_MS = 2_000;

const file = process.env.STEADY_FILE ?? "/dev/stdout";
const rate = Number(process.env.STEADY_RATE ?? 1_000);
const { outbox, meter, manifest, uplink: makeUplink } = await openLoadGateway(systemClock, ACKED_KEEP_MS);
const uplink = makeUplink();
uplink.start();
const tags = (await manifest).devices.flatMap((device) => device.tags);
const plant = new SyntheticPlant(tags, systemClock.nowMs());
let running = true;
process.on("SIGTERM", () => {
  running = false;
});
say("steady.sending", { tags: tags.length, rate });

const beginMs = systemClock.monoMs();
let pushed = 0;
let writtenMs = beginMs;
while (running) {
  const monoMs = systemClock.monoMs();
  const due = Math.floor(((monoMs - beginMs) / 1_000) * rate) - pushed;
  if (due > 0) plant.push(outbox.sink, due, systemClock.nowMs());
  pushed += Math.max(0, due);
  void outbox.seal();
  if (monoMs - writtenMs >= WRITE_MS && meter.latenciesMs.length > 0) {
    const nowMs = systemClock.nowMs();
    appendFileSync(file, meter.latenciesMs.map((ms) => `${nowMs} ${ms}\n`).join(""));
    meter.reset();
    writtenMs = monoMs;
  }
  await systemClock.sleep(SEAL_MS);
}
uplink.stop();
await outbox.close();
process.exit(0);
