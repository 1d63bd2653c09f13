import { expect, test } from "bun:test";
import { killRounds } from "./kill-rounds.ts";

test("gateway, hub and PostgreSQL killed at random: every sealed counter value is at the hub exactly once", async () => {
  const result = await killRounds(3, 7, () => {});
  expect(result).toMatchObject({ kills: 9, lost: 0, doubled: 0, invented: 0 });
  // A run that sealed nothing would compare nothing.
  expect(result.sealed).toBeGreaterThan(50);
}, 240_000);
