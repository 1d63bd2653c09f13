import { join } from "node:path";
import { MUTATIONS, type Mutation, type MutationName } from "./mutations.ts";
import type { Fault } from "./plan.ts";
import type { Done, Failed } from "./worker.ts";

export interface Played extends Done {
  failed: Failed[];
}

export interface Batch {
  from: number;
  seeds: number;
  /** Every how many-th seed is played; for sharing a range between processes. */
  step?: number;
  mutation?: MutationName;
  /** Kinds of fault that are left out. */
  without?: readonly Fault[];
  /** The process stops after so many failures. */
  failuresMax?: number;
}

/** Plays seeds in a process of their own. @throws when the process itself breaks, for instance a mutation that does not fit */
export async function playBatch(batch: Batch): Promise<Played> {
  const { from, seeds, step = 1, mutation, without = [], failuresMax = 20 } = batch;
  const preload = ["--preload", join(import.meta.dir, "preload.ts")];
  const args = [from, seeds, step, failuresMax].map(String);
  const child = Bun.spawn([process.execPath, ...preload, join(import.meta.dir, "worker.ts"), ...args], {
    env: {
      ...process.env,
      SIMULATE_WITHOUT: without.join(","),
      ...(mutation === undefined ? {} : { SIMULATE_MUTATION: mutation }),
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: process.env.SIMULATE_NOTES ? "inherit" : "pipe",
  });
  const [text, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    child.stderr instanceof ReadableStream ? new Response(child.stderr).text() : "",
    child.exited,
  ]);
  const lines = text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Failed | Done);
  const done = lines.find((line) => "played" in line);
  if (code !== 0 || done === undefined)
    throw new Error(`a process of the simulation ended with ${code}: ${errors}`);
  return { ...done, failed: lines.filter((line) => "seed" in line) };
}

/** Plays a range of seeds on several processes. */
export async function playAll(batch: Batch, processes: number): Promise<Played> {
  const { from, seeds } = batch;
  const parts = await Promise.all(
    Array.from({ length: Math.min(processes, seeds) }, (_, index) =>
      playBatch({ ...batch, from: from + index, seeds: seeds - index, step: processes }),
    ),
  );
  return {
    played: parts.reduce((sum, part) => sum + part.played, 0),
    samples: parts.reduce((sum, part) => sum + part.samples, 0),
    virtualMs: parts.reduce((sum, part) => sum + part.virtualMs, 0),
    events: parts.reduce((sum, part) => sum + part.events, 0),
    failed: parts.flatMap(({ failed }) => failed).sort((a, b) => a.seed - b.seed),
  };
}

export interface Caught {
  mutation: MutationName;
  /** Null for a survivor. */
  by: Failed | null;
  /** Seeds played until it was caught. */
  played: number;
}

/** Breaks one rule and plays until that is noticed. A seed that also fails with the rule in force notices nothing. */
export async function hunt(mutation: MutationName, seedsMax: number): Promise<Caught> {
  for (let from = 1, played = 0; from <= seedsMax; ) {
    const batch = await playBatch({ from, seeds: seedsMax - from + 1, mutation, failuresMax: 1 });
    played += batch.played;
    const by = batch.failed[0];
    if (by === undefined) break;
    const sound = await playBatch({ from: by.seed, seeds: 1 });
    if (sound.failed.length === 0) return { mutation, by, played };
    from = by.seed + 1;
  }
  return { mutation, by: null, played: seedsMax };
}

/** Hunts all, `processes` at a time. */
export async function huntAll(
  mutations: readonly MutationName[],
  seedsMax: number,
  processes: number,
  each: (caught: Caught) => void = () => undefined,
): Promise<Caught[]> {
  const waiting = [...mutations];
  const all: Caught[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { patience = 1 }: Mutation = MUTATIONS[next];
      const caught = await hunt(next, seedsMax * patience);
      all.push(caught);
      each(caught);
    }
  };
  await Promise.all(Array.from({ length: processes }, work));
  return all;
}
