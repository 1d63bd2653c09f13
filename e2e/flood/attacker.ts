// bun e2e/flood/attacker.ts <attack> <port> <seconds> <email>: one of the attacks of `attacks.ts` at a bounded rate.
// `ingest.ts` starts it as a process of its own. Prints {"event":"attack.done", ...}.
import { ATTACKS, type Attack, type AttackName, type Outcomes } from "./attacks.ts";

const TICK_MS = 20;

const [name = "", port = "0", seconds = "10", email = ""] = process.argv.slice(2);
const { perSecond, openMax, once }: Attack = ATTACKS[name as AttackName];
const target = { port: Number(port), email };
const outcomes: Outcomes = {};
const { promise: hold, resolve: release } = Promise.withResolvers<void>();
let [tried, open, openPeak] = [0, 0, 0];

async function attempt(): Promise<void> {
  open++;
  openPeak = Math.max(openPeak, open);
  const outcome = await once(target, ++tried, hold).catch((error) => String(error).slice(0, 60));
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  open--;
}

const beginMs = performance.now();
const running: Promise<void>[] = [];
for (;;) {
  const sinceS = (performance.now() - beginMs) / 1_000;
  if (sinceS >= Number(seconds)) break;
  // What could not be tried in time is not made up for: the rate stays what it was said to be.
  let due = Math.min(Math.floor(sinceS * perSecond) - tried, Math.ceil((perSecond * TICK_MS * 2) / 1_000));
  for (; due > 0 && open < openMax; due--) running.push(attempt());
  await Bun.sleep(TICK_MS);
}
release();
await Promise.race([Promise.all(running), Bun.sleep(5_000)]);
const tookS = (performance.now() - beginMs) / 1_000;
console.log(JSON.stringify({ event: "attack.done", tried, perSecond: tried / tookS, openPeak, outcomes }));
process.exit(0);
