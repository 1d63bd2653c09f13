import { expect, test } from "bun:test";
import { ROWS } from "../faults/registry.ts";
import { runRows } from "../faults/run.ts";
import { killRounds, seeded } from "./kill-rounds.ts";

test("gateway, hub and PostgreSQL killed at random: every sealed counter value is at the hub exactly once", async () => {
  const result = await killRounds(3, 7, () => {});
  expect(result).toMatchObject({ kills: 9, lost: 0, doubled: 0, invented: 0 });
  // A run that sealed nothing would compare nothing.
  expect(result.sealed).toBeGreaterThan(50);
}, 240_000);

test("a tenth of the long run: 100 kills of the gateway, 100 of the hub, 10 of PostgreSQL", async () => {
  const row = (name: string) => ROWS.filter((each) => each.row === name);
  const run = (name: string) => runRows(row(name), { share: 0.1, random: seeded(2), say: () => {} });
  // Side by side, each with a system of its own.
  const results = (await Promise.all(["F01", "F03", "F06"].map(run))).flat();
  expect(results.filter(({ ok }) => !ok).map(({ row, measured }) => `${row}: ${measured}`)).toEqual([]);
  expect(results).toHaveLength(3);
}, 600_000);
