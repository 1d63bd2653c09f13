import { expect, test } from "bun:test";
import { ROWS } from "../faults/registry.ts";
import { runRows } from "../faults/run.ts";
import { seeded } from "./kill-rounds.ts";

test("every row of the fault matrix that this machine can run passes in its short form", async () => {
  const results = await runRows(ROWS, { share: 0, random: seeded(1), say: () => {} });
  const failed = results.filter(({ ok, skipped }) => !ok && !skipped);
  expect(failed.map(({ row, measured }) => `${row}: ${measured}`)).toEqual([]);
  expect(results).toHaveLength(ROWS.length);
}, 420_000);
