import { expect, test } from "bun:test";
import type { HistorianStatus } from "@millrace/contract/api/retention";
import { systemClock } from "@millrace/contract/std/clock";
import { fillDay, fillHour, makeMonth, makeYear } from "../../../test/history-partitions.ts";
import { DISK_FREE_BYTES, type TestHub, testHub } from "../../../test/hub.ts";
import { DAY_MS, HOUR_MS } from "../../historian/slot.ts";
import { createHistorianStatus, HISTORIAN_STATUS } from "./service.ts";

const statusOf = async (hub: TestHub) => (await hub.call<HistorianStatus>("GET", "/api/v1/historian")).body;

/** A status of its own, which has nothing cached yet. */
const fresh = (hub: TestHub, nowMs: number) =>
  createHistorianStatus({
    db: hub.database.db,
    clock: { ...systemClock, nowMs: () => nowMs },
    diskFree: async () => null,
  })();

const storeOf = (status: HistorianStatus, name: string) => status.stores.find(({ store }) => store === name)!;

async function stray(hub: TestHub, n: number): Promise<void> {
  await hub.database.sql`
    INSERT INTO history_stray (gateway_no, reason, n, at, body) VALUES (1, 'foreign', ${n}, now(), ''::bytea)`;
}

test("an empty history is small, waits for nothing and foretells nothing", async () => {
  await using hub = await testHub();
  const status = await statusOf(hub);
  expect(status.stores.map(({ store }) => store)).toEqual([
    "journal",
    "recent",
    "raw",
    "minute",
    "hour",
    "proof",
    "stray",
  ]);
  expect(storeOf(status, "raw")).toEqual({ store: "raw", bytes: 0, samples: 0 });
  expect(storeOf(status, "minute").samples).toBeNull();
  expect(status.waiting).toEqual({ samples: 0, frames: 0, oldestMs: null });
  expect(status).toMatchObject({
    stray: 0,
    forecast: { samplesPerDay: null, bytesAtRetention: null, diskFreeBytes: DISK_FREE_BYTES },
  });
});

test("sizes hold everything a store has on disk, and the forecast follows the last complete days", async () => {
  await using hub = await testHub();
  const { sql } = hub.database;
  const nowMs = Date.UTC(2024, 2, 3, 12);
  await makeMonth(sql, 1, 2024, 2);
  await makeMonth(sql, 1, 2024, 3);
  await makeYear(sql, 1, 2024);
  // Over the border of a month; with 3 kB they lie in TOAST.
  for (const back of [2, 3, 4])
    await fillDay(sql, { classNo: 1, ms: nowMs - back * DAY_MS, tags: 5, n: 1_000, bodyBytes: 3_000 });
  await fillDay(sql, { classNo: 1, ms: nowMs - DAY_MS, tags: 5, n: 4_000, bodyBytes: 3_000 });
  await fillHour(sql, 1, "2024-03-01T05:00:00Z");
  await stray(hub, 3);
  const status = await fresh(hub, nowMs);
  const [{ bytes }] = await sql`
    SELECT sum(pg_total_relation_size(relid))::float8 AS bytes FROM pg_partition_tree('history')`;
  expect(storeOf(status, "raw")).toEqual({ store: "raw", bytes, samples: 35_000 });
  expect(bytes).toBeGreaterThan(20 * 3_000);
  expect(status.stray).toBe(3);
  // The first of the four days is left out: (5,000 + 5,000 + 20,000) / 3.
  expect(status.forecast.samplesPerDay).toBe(10_000);
  expect(status.forecast.bytesPerDay).toBeGreaterThan(10_000 * (bytes / 35_000));
  // Hours are kept for ever by the standard class.
  expect(status.forecast.bytesAtRetention).toBeNull();
  expect(status.forecast).toMatchObject({ diskFreeBytes: null, daysUntilFull: null });
  await sql`UPDATE retention_class SET hour_days = 3660`;
  const again = (await fresh(hub, nowMs)).forecast;
  expect(again.bytesAtRetention).toBeGreaterThan(400 * again.samplesPerDay! * (bytes / 35_000));
});

test("what waits in the journal is told with its age", async () => {
  await using hub = await testHub();
  const nowMs = Date.UTC(2024, 2, 3, 12);
  const add = (kind: string, first: number, ageMs: number) => hub.database.sql`
    INSERT INTO journal (gateway_no, epoch, lane, seg, first, last, kind, n, t_min, t_max, wide, crc, received_at, body)
    VALUES (1, 1, 'H', 1, ${first}, ${first}, ${kind}, 40, 0, 0, false, 0,
      ${new Date(nowMs - ageMs).toISOString()}::timestamptz, ''::bytea)`;
  await add("data", 1, HOUR_MS);
  await add("rollup", 2, 1_000);
  await add("gap", 3, 2 * HOUR_MS);
  const status = await fresh(hub, nowMs);
  expect(status.waiting).toEqual({ samples: 80, frames: 2, oldestMs: HOUR_MS });
  expect(storeOf(status, "journal").samples).toBe(80);
});

test("many who look at once cause one measurement", async () => {
  await using hub = await testHub();
  let monoMs = 0;
  let measured = 0;
  const status = createHistorianStatus({
    db: hub.database.db,
    clock: { ...systemClock, monoMs: () => monoMs },
    diskFree: async () => {
      measured += 1;
      if (measured === 2) throw new Error("the disk is gone");
      return null;
    },
  });
  await Promise.all([status(), status(), status()]);
  expect(measured).toBe(1);
  monoMs = HISTORIAN_STATUS.cacheMs;
  await expect(status()).rejects.toThrow("the disk is gone");
  await status();
  expect(measured).toBe(3);
});

test("eleven years of partitions are measured without counting them", async () => {
  await using hub = await testHub();
  const { sql } = hub.database;
  for (let year = 2014; year <= 2024; year += 1) {
    await makeYear(sql, 1, year);
    for (let month = 1; month <= 12; month += 1) await makeMonth(sql, 1, year, month);
  }
  const nowMs = Date.UTC(2024, 5, 20, 12);
  // Large enough that only some of its pages are read: 40,000 rows of some 220 bytes.
  for (const back of [1, 2])
    await fillDay(sql, { classNo: 1, ms: nowMs - back * DAY_MS, tags: 20_000, n: 100 });
  const status = await fresh(hub, nowMs);
  const { samples } = storeOf(status, "raw");
  expect(samples! / 4_000_000).toBeGreaterThan(0.8);
  expect(samples! / 4_000_000).toBeLessThan(1.25);
  expect(status.forecast.samplesPerDay! / 2_000_000).toBeGreaterThan(0.6);
  expect(status.forecast.samplesPerDay! / 2_000_000).toBeLessThan(1.6);
}, 60_000);
