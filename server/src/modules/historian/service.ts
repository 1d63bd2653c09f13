import type { HistorianStatus, StoreSize } from "@millrace/contract/api/retention";
import type { Clock } from "@millrace/contract/std/clock";
import type { Db } from "../../db/client.ts";
import { estimateSamples } from "../../historian/estimate.ts";
import type { Partition } from "../../historian/retention/retention.ts";
import { listClasses, listPartitions } from "../../historian/retention/store.ts";
import { DAY_MS, dayOf } from "../../historian/slot.ts";
import { type ClassDay, type ClassStore, FORECAST_DAYS, forecast } from "./forecast.ts";
import { countProven, countRows, findDays, findWaiting, tableBytes } from "./store.ts";

export const HISTORIAN_STATUS = {
  /** Many screens may look; the figures of a moment ago serve them all. */
  cacheMs: 10_000,
} as const;

/** The words of the API for what lies where. Samples of `recent` are those not yet closed into days. */
const STORES = [
  { store: "journal", tables: ["journal"] },
  { store: "recent", tables: ["history_minutes", "history_hour"] },
  { store: "raw", tables: ["history"] },
  { store: "minute", tables: ["minute_tier"] },
  { store: "hour", tables: ["rollup_hour"] },
  { store: "proof", tables: ["frame_proof"] },
  { store: "stray", tables: ["history_stray"] },
] as const;

/** Their samples are counted by the column `n`; the tiers hold figures, not samples. */
const COUNTED = new Set<string>(["history_minutes", "history_hour", "history", "history_stray"]);
const GROWING = new Set<string>(["raw", "minute", "hour"]);

export interface HistorianDeps {
  db: Db;
  clock: Clock;
  /** Free bytes of the disk PostgreSQL lies on; null when that is another machine's. */
  diskFree(): Promise<number | null>;
}

async function sizeOf(
  db: Db,
  { store, tables }: (typeof STORES)[number],
  partitions: readonly Partition[],
): Promise<StoreSize> {
  // Of the partitioned ones every table was looked at already, and the sum of those is the whole.
  let bytes = partitions.reduce((sum, { tier, bytes }) => sum + (tier === store ? bytes : 0), 0);
  let samples: number | null = null;
  for (const table of tables) {
    if (!GROWING.has(store)) bytes += await tableBytes(db, table);
    if (COUNTED.has(table)) samples = (samples ?? 0) + (await estimateSamples(db, table)).samples;
  }
  return { store, bytes, samples };
}

const per = (bytes: number, count: number): number | null => (count > 0 ? bytes / count : null);
const newest = (of: readonly Partition[]): Partition | undefined =>
  of.reduce<Partition | undefined>((a, b) => (a === undefined || b.fromMs > a.fromMs ? b : a), undefined);

/** What one class got in the last days, and what it takes, measured at the newest of its tables. */
async function measureClass(
  db: Db,
  classNo: number,
  partitions: readonly Partition[],
  nowMs: number,
): Promise<{ days: ClassDay[]; store: ClassStore }> {
  const today = dayOf(nowMs);
  const own = partitions.filter((partition) => partition.classNo === classNo);
  const bytesOf = (tier: Partition["tier"]) =>
    own.reduce((sum, partition) => sum + (partition.tier === tier ? partition.bytes : 0), 0);
  // Tables made ahead of their time would be empty.
  const lately = own.filter(
    ({ fromMs, toMs }) => fromMs < today * DAY_MS && toMs > (today - FORECAST_DAYS) * DAY_MS,
  );
  const days: ClassDay[] = [];
  let [rawBytes, samples, tagDays, minuteBytes] = [0, 0, 0, 0];
  for (const raw of lately.filter(({ tier }) => tier === "raw")) {
    const found = await findDays(db, raw.table);
    days.push(...found.map((day) => ({ classNo, ...day })));
    rawBytes += raw.bytes;
    samples += found.reduce((sum, day) => sum + day.samples, 0);
    const minute = lately.find(({ tier, fromMs }) => tier === "minute" && fromMs === raw.fromMs);
    if (minute === undefined) continue;
    minuteBytes += minute.bytes;
    tagDays += found.reduce((sum, day) => sum + day.tags, 0);
  }
  const hour = newest(lately.filter(({ tier }) => tier === "hour"));
  const hourBytes = hour === undefined ? null : per(hour.bytes, await countRows(db, hour.table));
  return {
    days,
    store: {
      classNo,
      bytes: { raw: bytesOf("raw"), minute: bytesOf("minute"), hour: bytesOf("hour") },
      bytesPerSample: per(rawBytes, samples),
      minuteBytesPerTagDay: per(minuteBytes, tagDays),
      hourBytesPerTagDay: hourBytes === null ? null : 24 * hourBytes,
    },
  };
}

async function allSizes(db: Db, partitions: readonly Partition[]): Promise<StoreSize[]> {
  const sizes: StoreSize[] = [];
  for (const store of STORES) sizes.push(await sizeOf(db, store, partitions));
  return sizes;
}

async function measure({ db, clock, diskFree }: HistorianDeps): Promise<HistorianStatus> {
  const nowMs = clock.nowMs();
  const partitions = await listPartitions(db);
  const classes = await listClasses(db);
  const measureClasses = async () => {
    const found: Awaited<ReturnType<typeof measureClass>>[] = [];
    for (const { classNo } of classes) found.push(await measureClass(db, classNo, partitions, nowMs));
    return found;
  };
  // Three at a time and no more: the pool is there for people's requests.
  const [sizes, measured, [{ frames, samples, oldestMs }, proven]] = await Promise.all([
    allSizes(db, partitions),
    measureClasses(),
    findWaiting(db).then(async (waiting) => [waiting, await countProven(db)] as const),
  ]);
  const bytesOf = (name: string) => sizes.find(({ store }) => store === name)?.bytes ?? 0;
  const stores = sizes.map((size) => (size.store === "journal" ? { ...size, samples } : size));
  return {
    stores,
    waiting: { samples, frames, oldestMs: oldestMs === null ? null : Math.max(0, nowMs - oldestMs) },
    stray: stores.find(({ store }) => store === "stray")?.samples ?? 0,
    forecast: forecast({
      classes,
      stores: measured.map(({ store }) => store),
      days: measured.flatMap(({ days }) => days),
      todayNo: dayOf(nowMs),
      restBytes: stores.reduce((sum, { store, bytes }) => sum + (GROWING.has(store) ? 0 : bytes), 0),
      proofBytesPerSample: per(bytesOf("proof"), proven),
      diskFreeBytes: await diskFree(),
    }),
  };
}

/** The status, measured at most once in `cacheMs` however many ask, and never twice at the same time. */
export function createHistorianStatus(deps: HistorianDeps): () => Promise<HistorianStatus> {
  let last: { atMs: number; status: Promise<HistorianStatus> } | null = null;
  return () => {
    const nowMs = deps.clock.monoMs();
    if (last !== null && nowMs - last.atMs < HISTORIAN_STATUS.cacheMs) return last.status;
    const status = measure(deps);
    const mine = { atMs: nowMs, status };
    last = mine;
    // A failure is not worth keeping.
    status.catch(() => {
      if (last === mine) last = null;
    });
    return status;
  };
}
