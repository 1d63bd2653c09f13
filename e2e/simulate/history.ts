import { chanceOf } from "./chance.ts";
import type { Failure } from "./oracle/oracle.ts";
import { drawPlan, type Fault, type Plan } from "./plan.ts";
import { Site } from "./site.ts";
import { planTrouble } from "./trouble.ts";

/** After the last fault everything must be at the hub within this. */
const DRAIN_MS = 20 * 60_000;
const SETTLE_MS = 60_000;
/** No multiple of a seal interval: a look at the same moment of each interval might always find a seal under way. */
const DRAIN_LOOK_MS = 1_013;
const CHECK_MS = 30_000;

export interface Outcome {
  seed: number;
  plan: Plan;
  failure: Failure | null;
  samples: number;
  events: number;
  virtualMs: number;
}

/** Plays one history to its end, or to the first broken promise. The same seed gives the same history. */
export function play(
  seed: number,
  without: ReadonlySet<Fault> = new Set(),
  note: ((line: string) => void) | null = null,
): Outcome {
  const chance = chanceOf(`history ${seed}`);
  const plan = drawPlan(chance.fork("plan"), without);
  const timed = (what: string) => note?.(`${(site.world.nowMs / 1_000).toFixed(3)} ${what}`);
  const site: Site = new Site(plan, chance.fork("site"), note && timed);
  const { world, oracle } = site;
  const hasFailed = () => oracle.failure !== null;
  try {
    site.start();
    planTrouble(site);
    while (world.nowMs < plan.faultsMs && !hasFailed()) {
      world.run(Math.min(world.nowMs + CHECK_MS, plan.faultsMs), hasFailed);
      if (!hasFailed()) oracle.checkNothingLost(false);
    }
    if (!hasFailed()) drain(site);
  } catch (thrown) {
    oracle.stumbled("the history", thrown);
  }
  return {
    seed,
    plan,
    failure: oracle.failure,
    samples: oracle.ledger.count,
    events: world.events,
    virtualMs: world.nowMs,
  };
}

function drain(site: Site): void {
  const { world, oracle, plan } = site;
  const endMs = plan.faultsMs + DRAIN_MS;
  // What still lasts ends within its own time; the last of it is forced here.
  site.heal();
  // A line that went deaf at the last moment is noticed within the silence limit; before that nothing is proven.
  world.run(plan.faultsMs + SETTLE_MS, () => oracle.failure !== null);
  while (oracle.failure === null && !oracle.isDrained()) {
    if (world.nowMs >= endMs) {
      const { gateway, engine } = site;
      const waits = engine?.status().framesUnsent;
      return oracle.fail("I6", `not drained: ${waits} frames wait, the link is ${gateway?.reason}`);
    }
    world.run(world.nowMs + DRAIN_LOOK_MS, () => oracle.failure !== null);
    site.heal();
  }
  if (oracle.failure === null) oracle.checkNothingLost(true);
}
