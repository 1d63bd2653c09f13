import { play } from "./history.ts";
import type { Fault } from "./plan.ts";

/** One process of a run: plays seeds and prints one line of JSON for each that failed, and one at the end. */
export interface Failed {
  seed: number;
  invariant: string;
  message: string;
  atMs: number;
  faults: string[];
}

export interface Done {
  played: number;
  samples: number;
  virtualMs: number;
  events: number;
}

const [from, seeds, step, failuresMax] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
];
/** Kinds of fault that are left out, separated by commas. */
const without = new Set((process.env.SIMULATE_WITHOUT ?? "").split(",") as Fault[]);
const done: Done = { played: 0, samples: 0, virtualMs: 0, events: 0 };
let failures = 0;
for (let seed = from; seed < from + seeds && failures < failuresMax; seed += step) {
  const { failure, plan, samples, virtualMs, events } = play(
    seed,
    without,
    process.env.SIMULATE_NOTES ? console.error : null,
  );
  done.played++;
  done.samples += samples;
  done.virtualMs += virtualMs;
  done.events += events;
  if (failure === null) continue;
  failures++;
  console.log(JSON.stringify({ seed, ...failure, faults: [...plan.faults] } satisfies Failed));
}
console.log(JSON.stringify(done));
