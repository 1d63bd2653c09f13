import { expect, test } from "bun:test";
import { MUTATIONS, type MutationName } from "../simulate/mutations.ts";
import { REGRESSIONS } from "../simulate/regressions.ts";
import { huntAll, playAll, playBatch } from "../simulate/run.ts";

/** The delivery, proven by simulation (`docs/delivery.md`): the real programs' logic under one seed for everything. */
const PROCESSES = 2;
const SEEDS = 2_000;
const HUNT_SEEDS = 1_000;
const REPLAY = "bun run simulate --seeds 1 --from";

test("2,000 histories of faults break no promise", async () => {
  const { played, failed } = await playAll({ from: 1, seeds: SEEDS }, PROCESSES);
  expect(failed.map(({ seed, invariant, message }) => `${REPLAY} ${seed}: ${invariant} ${message}`)).toEqual(
    [],
  );
  expect(played).toBe(SEEDS);
}, 300_000);

test("the seeds that once broke one break none", async () => {
  const failed: string[] = [];
  for (const { seed, what } of REGRESSIONS) {
    const batch = await playBatch({ from: seed, seeds: 1 });
    for (const { invariant, message } of batch.failed)
      failed.push(`${REPLAY} ${seed}, where once ${what}: ${invariant} ${message}`);
  }
  expect(failed).toEqual([]);
}, 120_000);

test("each rule, broken on purpose, is noticed", async () => {
  const caught = await huntAll(Object.keys(MUTATIONS) as MutationName[], HUNT_SEEDS, PROCESSES);
  expect(caught.filter(({ by }) => by === null).map(({ mutation }) => mutation)).toEqual([]);
}, 600_000);
