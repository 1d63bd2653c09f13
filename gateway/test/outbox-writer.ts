import { systemClock } from "@millrace/contract/std/clock";
import { openOutbox } from "../src/outbox/outbox.ts";

/**
 * Pushes a counter as fast as the loop turns until it is killed. Arguments: folder, first counter value. After each
 * seal it prints the last value that is on disk: what it printed must be found there.
 */
const [folder, first] = process.argv.slice(2);
let value = Number(first);
const outbox = await openOutbox({
  folder: folder!,
  epoch: 1,
  renewEpoch: () => Promise.reject(new Error("a killed writer must not need a new epoch")),
  bootNo: 1,
  clock: systemClock,
  onReport: ({ message }) => process.stderr.write(`${message}\n`),
  onCrash: ({ message }) => process.stderr.write(`${message}\n`),
});
process.stdout.write("open\n");
for (;;) {
  for (let i = 0; i < 500; i++) outbox.sink.push(7, "double", value++, 0, systemClock.nowMs());
  const last = value - 1;
  await outbox.seal();
  process.stdout.write(`${last}\n`);
}
