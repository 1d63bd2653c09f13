import { expect, test } from "bun:test";
import type { Clock } from "@millrace/contract/std/clock";
import { SQL } from "bun";
import { testDatabase } from "../../../test/harness-database.ts";
import { makeMonth, tablesLike } from "../../../test/history-partitions.ts";
import { RETENTION_JOB, startRetention } from "./job.ts";

/** A clock whose sleepers wake when the test says so; tells how long each wanted to sleep. */
function steppedClock(iso: string) {
  const asked: number[] = [];
  let wake: () => void = () => undefined;
  let slept: () => void = () => undefined;
  let sleeping = new Promise<void>((resolve) => {
    slept = resolve;
  });
  const clock: Clock = {
    nowMs: () => Date.parse(iso),
    monoMs: () => 0,
    after: () => () => undefined,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        asked.push(ms);
        wake = resolve;
        signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        slept();
      }),
  };
  return {
    clock,
    asked,
    /** Lets the sleeper run and waits until it sleeps again. */
    async step() {
      await sleeping;
      sleeping = new Promise<void>((resolve) => {
        slept = resolve;
      });
      wake();
      await sleeping;
    },
  };
}

test("it runs once an hour, sooner after a failure, and ends when told", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await sql`UPDATE retention_class SET raw_days = 1, minute_days = 1`;
  await makeMonth(sql, 1, 2023, 1);
  const { clock, asked, step } = steppedClock("2024-01-01T00:00:00Z");
  const job = startRetention({ sql, clock });
  await step();
  expect(asked).toEqual([RETENTION_JOB.firstMs, RETENTION_JOB.everyMs]);
  expect(await tablesLike(sql, "%_c1_2023_01")).toEqual([]);
  await sql`ALTER TABLE retention_class RENAME TO gone`;
  await step();
  expect(asked.at(-1)).toBe(RETENTION_JOB.againMs);
  await sql`ALTER TABLE gone RENAME TO retention_class`;
  await step();
  expect(asked.at(-1)).toBe(RETENTION_JOB.everyMs);
  await job.stop();
});

test("a database that cannot be reached is no reason to end", async () => {
  const sql = new SQL({ url: "postgres://nobody:x@127.0.0.1:1/none", max: 1, connectionTimeout: 1 });
  const { clock, asked, step } = steppedClock("2024-01-01T00:00:00Z");
  const job = startRetention({ sql, clock });
  await step();
  expect(asked.at(-1)).toBe(RETENTION_JOB.againMs);
  await job.stop();
  await sql.close({ timeout: 1 });
});
