import type { OutboxMode } from "@millrace/contract/vocabulary/gateway";
import type { Chance } from "./chance.ts";

/** Kinds of trouble. Each history switches on some of them: all at once would hide what a few do together. */
export const FAULTS = [
  "gatewayKill",
  "hubKill",
  "databaseTrouble",
  "databaseAway",
  "slowCommits",
  "cut",
  "halfOpen",
  "oneWay",
  "latency",
  "ghosts",
  "wireFlips",
  "slowDisk",
  "fullDisk",
  "smallQuota",
  "diskFlips",
  "clockSteps",
  "noClock",
  "oldImage",
  "hubRestore",
  "commandRepeats",
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Plan {
  faults: ReadonlySet<Fault>;
  /** Faults happen up to here. */
  faultsMs: number;
  /** Mean time between two faults of one kind. */
  everyMs: number;
  tags: number;
  /** Mean time between two samples of one tag. */
  sampleMs: number;
  sealMs: number;
  bytesQuota: number;
  ackedKeepMs: number;
  mode: OutboxMode;
}

const SET_BACK = ["oldImage", "hubRestore"] as const;
const ROOMY_BYTES = 64 * 1024 * 1024;

/** Draws one history. @param without faults that may not be in it */
export function drawPlan(chance: Chance, without: ReadonlySet<Fault> = new Set()): Plan {
  const share = chance.pick([0.1, 0.25, 0.5]);
  const faults = new Set(FAULTS.filter((fault) => chance.fork(fault).hits(share) && !without.has(fault)));
  // Both set back behind the same samples: nobody knows of them any more, and nothing is promised (docs/delivery.md).
  if (faults.has("oldImage") && faults.has("hubRestore"))
    faults.delete(chance.fork("set back").pick(SET_BACK));
  return {
    faults,
    faultsMs: chance.between(60_000, 300_000),
    everyMs: chance.magnitude(5_000, 90_000),
    tags: chance.whole(1, 4),
    sampleMs: chance.magnitude(500, 4_000),
    sealMs: chance.pick([1_000, 2_000, 4_000]),
    bytesQuota: faults.has("smallQuota") ? Math.round(chance.magnitude(32_000, 160_000)) : ROOMY_BYTES,
    ackedKeepMs: chance.pick([0, 30_000, 48 * 3_600_000]),
    mode: chance.pick(["thin-then-drop", "drop-oldest", "keep-oldest"] as const),
  };
}
