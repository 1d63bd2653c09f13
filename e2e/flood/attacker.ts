// bun e2e/flood/attacker.ts <attack> <port> <rounds> <seconds> <email>: one of the attacks of `attacks.ts` at a bounded rate,
// in rounds with as long a pause before each and after the last. `ingest.ts` starts it as a process of its own. Prints
// {"event":"attack.done", ...}.
import { ATTACKS, type Attack, type AttackName, type Outcomes } from "./attacks.ts";

const TICK_MS = 20;
/** What a round leaves behind is over after this. */
const SETTLE_MS = 1_500;

const [name = "", port = "0", rounds = "1", seconds = "5", email = ""] = process.argv.slice(2);
const { perSecond, openMax, once }: Attack = ATTACKS[name as AttackName];
const target = { port: Number(port), email };
const outcomes: Outcomes = {};
/** Wall times in ms: from, to. */
const [attacked, quiet]: [number, number][][] = [[], []];
let [tried, open, openPeak] = [0, 0, 0];

async function attempt(hold: Promise<void>): Promise<void> {
  open++;
  openPeak = Math.max(openPeak, open);
  const outcome = await once(target, ++tried, hold).catch((error) => String(error).slice(0, 60));
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  open--;
}

async function round(): Promise<void> {
  const { promise: hold, resolve: release } = Promise.withResolvers<void>();
  const running: Promise<void>[] = [];
  const [beginMs, triedBefore] = [performance.now(), tried];
  for (;;) {
    const sinceS = (performance.now() - beginMs) / 1_000;
    if (sinceS >= Number(seconds)) break;
    // What could not be tried in time is not made up for: the rate stays what it was said to be.
    const due = Math.floor(sinceS * perSecond) - (tried - triedBefore);
    const most = Math.ceil((perSecond * TICK_MS * 2) / 1_000);
    for (let left = Math.min(due, most); left > 0 && open < openMax; left--) running.push(attempt(hold));
    await Bun.sleep(TICK_MS);
  }
  release();
  await Promise.race([Promise.all(running), Bun.sleep(5_000)]);
}

async function pause(): Promise<void> {
  await Bun.sleep(SETTLE_MS);
  const fromMs = Date.now();
  await Bun.sleep(Number(seconds) * 1_000);
  quiet.push([fromMs, Date.now()]);
}

await pause();
for (let left = Number(rounds); left > 0; left--) {
  const fromMs = Date.now();
  await round();
  attacked.push([fromMs, Date.now()]);
  await pause();
}
const attackedS = attacked.reduce((sum, [fromMs, toMs]) => sum + (toMs - fromMs) / 1_000, 0);
const figures = { tried, perSecond: tried / attackedS, openPeak, outcomes, attacked, quiet };
console.log(JSON.stringify({ event: "attack.done", ...figures }));
process.exit(0);
