import { getLogger } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";
import type { SQL } from "bun";
import { drizzle } from "drizzle-orm/bun-sql";
import type { Db, Tx } from "../../db/client.ts";
import { postgresFacts } from "../../db/error.ts";
import { inTransaction } from "../../db/transaction.ts";
import { recordAudit } from "../../modules/audit/service.ts";
import { HISTORIAN } from "../limits.ts";
import { DAY_MS } from "../slot.ts";
import { type Partition, whatToDrop } from "./retention.ts";
import {
  boundLocks,
  countSamples,
  databaseNowMs,
  deleteStray,
  dropTable,
  holdClass,
  holdsRows,
  holdsWaiting,
  listClasses,
  listPartitions,
  tryRetentionLock,
} from "./store.ts";

const log = getLogger(["hub", "historian", "retention"]);

export const RETENTION = {
  /** How long a drop waits for readers of its table, and with it everybody who comes after. */
  lockMs: 500,
  /** Rows kept aside that one transaction removes. */
  strayRows: 2_000,
} as const;

/** Who the audit names for what nobody asked for. */
const WHO = "hub:retention";

export interface RetentionRun {
  dropped: number;
  /** Expired, but read just now, or late samples are still on their way into it: they go at the next run. */
  busy: number;
  strayRows: number;
}

/** SQLSTATE of a lock that was not had in time. */
const isLockTimeout = (thrown: unknown): boolean => postgresFacts(thrown)?.sqlState === "55P03";

const isoOrNull = (ms: number): string | null => (Number.isFinite(ms) ? new Date(ms).toISOString() : null);

/** `none`: it is gone, kept after all, or in another hub's hands. `busy`: to be tried again. */
type Outcome = "dropped" | "none" | "busy";

/** Drops one partition with its audit entry. */
async function dropOne(tx: Tx, partition: Partition, nowMs: number): Promise<Outcome> {
  await boundLocks(tx, RETENTION.lockMs);
  if (!(await tryRetentionLock(tx))) return "none";
  // Since the list was made another hub may have dropped it, or a person may have lengthened the retention.
  const kept = await holdClass(tx, partition.classNo);
  const present = (await listPartitions(tx)).find(({ table }) => table === partition.table);
  if (kept === null || present === undefined || whatToDrop([kept], [present], nowMs).length === 0)
    return "none";
  const { tier, table, fromMs, toMs, bytes } = present;
  // A retention made shorter meets samples on their way into a day: that day would come back without its past.
  if (tier === "raw" && (await holdsWaiting(tx, fromMs, toMs))) return "busy";
  // Late data of one class makes the tables of that month for all; of what held nothing, nothing is lost.
  if (!(await holdsRows(tx, table))) {
    await dropTable(tx, table);
    return "dropped";
  }
  const samples = tier === "raw" ? await countSamples(tx, table) : null;
  await dropTable(tx, table);
  const old = { table, class: kept.name, tier, from: isoOrNull(fromMs), to: isoOrNull(toMs), bytes, samples };
  await recordAudit(tx, {
    atMs: nowMs,
    who: WHO,
    action: "retention.drop",
    subject: `table:${table}`,
    old,
    new: null,
  });
  log.info("Dropped {table}: {tier} of class {class} from {from} to {to}, {bytes} bytes, {samples} samples", {
    event: "retention.dropped",
    ...old,
  });
  return "dropped";
}

/** Removes what was kept aside for longer than `strayDays`; the number of rows. */
async function dropStray(db: Db, nowMs: number): Promise<number> {
  const before = new Date(nowMs - HISTORIAN.strayDays * DAY_MS);
  let total = 0;
  for (;;) {
    const gone = await inTransaction(db, async (tx) => {
      await boundLocks(tx, RETENTION.lockMs);
      const { rows, samples } = await deleteStray(tx, before, RETENTION.strayRows);
      if (rows > 0) {
        await recordAudit(tx, {
          atMs: nowMs,
          who: WHO,
          action: "retention.drop",
          subject: "table:history_stray",
          old: { table: "history_stray", to: before.toISOString(), rows, samples },
          new: null,
        });
        log.info("Removed {samples} stray samples kept aside before {to}", {
          event: "retention.strayRemoved",
          samples,
          to: before.toISOString(),
        });
      }
      return rows;
    });
    total += gone;
    if (gone < RETENTION.strayRows) return total;
  }
}

/**
 * Drops what its class does not keep any longer, a transaction for each partition. Any number of hubs may run it at
 * once: what one drops, the others find gone.
 * @throws AppError `database.unavailable` | `database.failed`; what was dropped before stays dropped
 */
export async function runRetention(sql: SQL, clock: Clock): Promise<RetentionRun> {
  const db = drizzle(sql);
  // A machine whose clock ran ahead would drop years that nobody can bring back; two clocks seldom err alike.
  const nowMs = Math.min(clock.nowMs(), await databaseNowMs(db));
  const due = whatToDrop(await listClasses(db), await listPartitions(db), nowMs);
  const run: RetentionRun = { dropped: 0, busy: 0, strayRows: 0 };
  for (const partition of due) {
    try {
      const outcome = await inTransaction(db, (tx) => dropOne(tx, partition, nowMs));
      if (outcome !== "none") run[outcome] += 1;
    } catch (thrown) {
      if (!isLockTimeout(thrown)) throw thrown;
      run.busy += 1;
    }
  }
  run.strayRows = await dropStray(db, nowMs);
  return run;
}
