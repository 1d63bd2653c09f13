// A simulated S7 CPU as a program, for stories. Prints its port, then obeys lines from its input and answers each with
// "done": `slot N` (it sits there alone), `closed` (PUT/GET communication is not permitted), `open`.
import { systemClock } from "@millrace/contract/std/clock";
import { S7Simulator } from "../src/drivers/s7/simulated-cpu.ts";

/** What a CPU answers to every read while PUT/GET communication is not permitted. */
const NOT_PERMITTED = 0x8104;

const cpu = await S7Simulator.start(systemClock);
cpu.db(1).writeFloatBE(21.5, 0);
process.stdout.write(`${cpu.port}\n`);
for await (const line of console) {
  const [does, slot] = line.trim().split(" ");
  if (does === "slot") cpu.slots = [Number(slot)];
  else cpu.refuses = does === "closed" ? NOT_PERMITTED : null;
  process.stdout.write("done\n");
}
