import { expect, test } from "bun:test";
import type { Clock } from "@millrace/contract/std/clock";
import { SQL } from "bun";
import { type TestDatabase, testDatabase } from "../../../test/harness-database.ts";
import { fillDay, fillHour, makeMonth, makeYear, tablesLike } from "../../../test/history-partitions.ts";
import { verifyAudit } from "../../modules/audit/service.ts";
import { HISTORIAN } from "../limits.ts";
import { DAY_MS, HOUR_MS } from "../slot.ts";
import { runRetention } from "./run.ts";

/** Retention on a real database. All times lie in 2024: no test's clock is ahead of the database's. */

const clockAt = (iso: string): Clock => ({
  nowMs: () => Date.parse(iso),
  monoMs: () => 0,
  sleep: () => Promise.reject(new Error("nothing here waits")),
  after: () => () => undefined,
});

const keep = (database: TestDatabase, raw: number | null, minute: number | null, hour: number | null) =>
  database.sql`UPDATE retention_class SET raw_days = ${raw}, minute_days = ${minute}, hour_days = ${hour}`;

async function auditOf(database: TestDatabase) {
  const rows: { subject: string; old: Record<string, unknown> }[] =
    await database.sql`SELECT subject, old FROM audit WHERE action = 'retention.drop' ORDER BY no`;
  return [...rows];
}

test("months and years go at their own borders, each with an entry in the audit", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await keep(database, 31, 60, 366);
  for (const [year, month] of [
    [2022, 12],
    [2023, 1],
    [2023, 2],
  ] as const)
    await makeMonth(sql, 1, year, month);
  for (const year of [2022, 2023]) await makeYear(sql, 1, year);
  await fillDay(sql, { classNo: 1, ms: Date.UTC(2022, 11, 31), tags: 3, n: 1_000 });
  await fillHour(sql, 1, "2022-12-31T23:00:00Z");
  await fillDay(sql, { classNo: 1, ms: Date.UTC(2023, 0, 1), tags: 1, n: 5 });
  expect(await runRetention(sql, clockAt("2023-01-31T23:59:59.999Z"))).toEqual({
    dropped: 0,
    busy: 0,
    strayRows: 0,
  });
  expect((await runRetention(sql, clockAt("2023-02-01T00:00:00Z"))).dropped).toBe(1);
  expect(await tablesLike(sql, "history_c1_%")).toEqual(["history_c1_2023_01", "history_c1_2023_02"]);
  expect(await tablesLike(sql, "minute_tier_c1_%")).toHaveLength(3);
  expect((await runRetention(sql, clockAt("2024-01-01T23:59:59Z"))).dropped).toBe(5);
  expect(await tablesLike(sql, "rollup_hour_c1_%")).toEqual(["rollup_hour_c1_2022", "rollup_hour_c1_2023"]);
  expect((await runRetention(sql, clockAt("2024-01-02T00:00:00Z"))).dropped).toBe(1);
  expect(await tablesLike(sql, "rollup_hour_c1_%")).toEqual(["rollup_hour_c1_2023"]);
  const entries = await auditOf(database);
  // Empty tables go without a word.
  expect(entries.map(({ subject }) => subject)).toEqual([
    "table:history_c1_2022_12",
    "table:minute_tier_c1_2022_12",
    "table:history_c1_2023_01",
    "table:minute_tier_c1_2023_01",
    "table:rollup_hour_c1_2022",
  ]);
  expect(entries[0]).toMatchObject({
    subject: "table:history_c1_2022_12",
    old: {
      table: "history_c1_2022_12",
      class: "standard",
      tier: "raw",
      from: "2022-12-01T00:00:00.000Z",
      to: "2023-01-01T00:00:00.000Z",
      samples: 3_000,
    },
  });
  expect(entries.at(-1)?.old).toMatchObject({
    tier: "hour",
    from: "2022-01-01T00:00:00.000Z",
    samples: null,
  });
  expect(await verifyAudit(database.db)).toBeNull();
});

test("what a class keeps for ever stays, in whatever zone the session counts", async () => {
  await using database = await testDatabase();
  await keep(database, null, null, null);
  await makeMonth(database.sql, 1, 1999, 12);
  await makeYear(database.sql, 1, 1999);
  const url = new URL(database.url);
  const far = new SQL({
    url: url.href,
    max: 2,
    connection: { TimeZone: "Asia/Kathmandu", DateStyle: "German, DMY" },
  });
  try {
    expect((await runRetention(far, clockAt("2024-06-01T00:00:00Z"))).dropped).toBe(0);
    await keep(database, null, null, 366);
    // 366 days after the end of 1999 UTC end with 2000 UTC.
    expect((await runRetention(far, clockAt("2000-12-31T23:59:59Z"))).dropped).toBe(0);
    expect((await runRetention(far, clockAt("2001-01-01T00:00:00Z"))).dropped).toBe(1);
  } finally {
    await far.close({ timeout: 1 });
  }
});

test("several hubs at once drop each partition once", async () => {
  await using database = await testDatabase();
  await keep(database, 1, 1, 1);
  for (let month = 1; month <= 6; month += 1) {
    await makeMonth(database.sql, 1, 2023, month);
    await fillDay(database.sql, { classNo: 1, ms: Date.UTC(2023, month - 1, 9), tags: 1, n: 1 });
  }
  const others = [1, 2, 3].map(() => new SQL({ url: database.url, max: 2 }));
  try {
    const clock = clockAt("2024-01-01T00:00:00Z");
    const hubs = [database.sql, ...others];
    const runs = await Promise.all(hubs.map((sql) => runRetention(sql, clock)));
    // One hub that is at it keeps the others from the same table; what is left over goes with the next run.
    const last = await runRetention(database.sql, clock);
    expect([...runs, last].reduce((sum, { dropped }) => sum + dropped, 0)).toBe(12);
    const subjects = (await auditOf(database)).map(({ subject }) => subject);
    expect(new Set(subjects).size).toBe(12);
    expect(subjects).toHaveLength(12);
    expect(await verifyAudit(database.db)).toBeNull();
  } finally {
    for (const sql of others) await sql.close({ timeout: 1 });
  }
});

test("a table that is being read is left for the next run, the others go", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await keep(database, 1, 1, null);
  await makeMonth(sql, 1, 2023, 1);
  const clock = clockAt("2024-01-01T00:00:00Z");
  const reader = await sql.reserve();
  try {
    await reader.unsafe("BEGIN");
    await reader.unsafe("SELECT count(*) FROM history_c1_2023_01");
    expect(await runRetention(sql, clock)).toMatchObject({ dropped: 1, busy: 1 });
    await reader.unsafe("COMMIT");
  } finally {
    reader.release();
  }
  expect(await runRetention(sql, clock)).toMatchObject({ dropped: 1, busy: 0 });
});

test("a month that late samples are on their way into waits for them", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await keep(database, 1, null, null);
  await makeMonth(sql, 1, 2023, 1);
  await makeMonth(sql, 1, 2023, 2);
  const clock = clockAt("2024-01-01T00:00:00Z");
  const hourNo = (iso: string) => Date.parse(iso) / HOUR_MS;
  await sql`INSERT INTO history_hour (tag_no, hour_no, part, n, t_min, t_max, closed_at, body)
    VALUES (1, ${hourNo("2023-01-31T23:00:00Z")}::int, 0, 1, 0, 0, now(), ''::bytea)`;
  expect(await runRetention(sql, clock)).toMatchObject({ dropped: 1, busy: 1 });
  expect(await tablesLike(sql, "history_c1_%")).toEqual(["history_c1_2023_01"]);
  await sql`DELETE FROM history_hour`;
  await sql`INSERT INTO history_minutes (group_no, hour_no, n, t_min, t_max, at, body)
    VALUES (0, ${hourNo("2023-01-01T00:00:00Z")}::int, 1, 0, 0, now(), ''::bytea)`;
  expect(await runRetention(sql, clock)).toMatchObject({ dropped: 0, busy: 1 });
  await sql`DELETE FROM history_minutes`;
  expect(await runRetention(sql, clock)).toMatchObject({ dropped: 1, busy: 0 });
});

test("a hub whose clock ran ahead of the database's drops nothing that is not due", async () => {
  await using database = await testDatabase();
  await keep(database, 3_650, 3_650, null);
  const now = new Date();
  await makeMonth(database.sql, 1, now.getUTCFullYear() - 1, 6);
  expect((await runRetention(database.sql, clockAt("2099-01-01T00:00:00Z"))).dropped).toBe(0);
});

test("what was kept aside goes after its days, counted", async () => {
  await using database = await testDatabase();
  const nowMs = Date.parse("2024-06-01T00:00:00Z");
  const at = (days: number) => new Date(nowMs - days * DAY_MS).toISOString();
  const { strayDays } = HISTORIAN;
  for (const days of [strayDays + 40, strayDays + 0.001, strayDays - 0.001])
    await database.sql`
      INSERT INTO history_stray (gateway_no, reason, n, at, body) VALUES (1, 'expired', 7, ${at(days)}::timestamptz, ''::bytea)`;
  const run = await runRetention(database.sql, clockAt("2024-06-01T00:00:00Z"));
  expect(run).toEqual({ dropped: 0, busy: 0, strayRows: 2 });
  expect((await database.sql`SELECT count(*)::int AS n FROM history_stray`)[0].n).toBe(1);
  expect(await auditOf(database)).toMatchObject([
    { subject: "table:history_stray", old: { rows: 2, samples: 14 } },
  ]);
});
