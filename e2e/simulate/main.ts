import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { MUTATIONS, type MutationName } from "./mutations.ts";
import type { Fault } from "./plan.ts";
import { huntAll, playAll } from "./run.ts";
import type { Failed } from "./worker.ts";

/**
 * `bun run simulate --seeds N --from S [--mutate name]` plays histories, `bun run simulate --mutations` breaks each
 * rule in turn. With `SIMULATE_NOTES=1` everything that happens is written to standard error.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    mutate: { type: "string" },
    mutations: { type: "boolean", default: false },
    without: { type: "string", default: "" },
    processes: { type: "string", default: String(availableParallelism()) },
  },
});
const seeds = Number(values.seeds);
const from = Number(values.from);
const processes = Number(values.processes);
/** Kinds of fault to leave out, separated by commas. */
const left = values.without.split(",").filter((name) => name !== "") as Fault[];
const startedMs = performance.now();
const seconds = () => (performance.now() - startedMs) / 1_000;

function tell({ seed, invariant, message, atMs, faults }: Failed, mutation?: string): void {
  const how = `${left.length > 0 ? ` --without ${left.join(",")}` : ""}${mutation ? ` --mutate "${mutation}"` : ""}`;
  const replay = `bun run simulate --seeds 1 --from ${seed}${how}`;
  console.log(`seed ${seed}: ${invariant} at ${(atMs / 1_000).toFixed(1)} s: ${message}`);
  console.log(`  faults: ${faults.join(", ") || "none"}\n  replay: ${replay}`);
}

async function mutations(): Promise<boolean> {
  const names = Object.keys(MUTATIONS) as MutationName[];
  const caught = await huntAll(names, seeds, processes, ({ mutation, by, played }) => {
    const how = by
      ? `caught by seed ${by.seed} (${by.invariant}) after ${played}`
      : `SURVIVED ${played} seeds`;
    console.log(`${mutation}: ${how}`);
  });
  const survivors = caught.filter(({ by }) => by === null);
  console.log(`${caught.length - survivors.length} of ${caught.length} caught, ${seconds().toFixed(0)} s`);
  return survivors.length === 0;
}

async function histories(mutation: MutationName | undefined): Promise<boolean> {
  const { played, samples, virtualMs, failed } = await playAll(
    { from, seeds, without: left, ...(mutation === undefined ? {} : { mutation }) },
    processes,
  );
  for (const each of failed) tell(each, mutation);
  const rate = played / seconds();
  console.log(
    `${played} histories, ${(virtualMs / 3_600_000).toFixed(1)} virtual hours, ${samples} samples, ` +
      `${seconds().toFixed(1)} s (${rate.toFixed(0)} a second), ${failed.length} failed`,
  );
  return failed.length === 0;
}

function known(name: string | undefined): MutationName | undefined {
  if (name === undefined || name in MUTATIONS) return name as MutationName | undefined;
  throw new Error(`No mutation "${name}"; there are: ${Object.keys(MUTATIONS).join("; ")}`);
}

process.exit((values.mutations ? await mutations() : await histories(known(values.mutate))) ? 0 : 1);
