import { asc, eq, type SQL, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { retentionClass } from "../../db/schema/history.ts";
import { hourOf } from "../slot.ts";
import { type KeptClass, type Partition, TIERS } from "./retention.ts";

/** Held by the hub that drops: a second one would wait for the same tables and hold up readers twice. */
const RETENTION_LOCK = 7_146_220_118;
const INT_MAX = 2_147_483_647;

export const listClasses = (db: DbOrTx): Promise<KeptClass[]> =>
  db.select().from(retentionClass).orderBy(asc(retentionClass.name)).execute();

/** Nobody changes the class until the end of the transaction. */
export async function holdClass(tx: Tx, classNo: number): Promise<KeptClass | null> {
  const rows = await tx.select().from(retentionClass).where(eq(retentionClass.classNo, classNo)).for("share");
  return rows[0] ?? null;
}

/** To the end of the transaction; false when another hub holds it. */
export async function tryRetentionLock(tx: Tx): Promise<boolean> {
  const rows = await tx.execute<{ got: boolean }>(
    sql`SELECT pg_try_advisory_xact_lock(${RETENTION_LOCK}::bigint) AS got`,
  );
  return rows[0]?.got === true;
}

/**
 * Lets every lock of this transaction wait no longer than `ms`: while DROP waits for the end of a long query, every
 * later query of the class waits behind it.
 */
export async function boundLocks(tx: Tx, ms: number): Promise<void> {
  await tx.execute(sql`SELECT set_config('lock_timeout', ${`${ms}ms`}::text, true)`);
}

/** The database's own clock, ms. */
export async function databaseNowMs(db: DbOrTx): Promise<number> {
  const rows = await db.execute<{ ms: number }>(
    sql`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`,
  );
  return rows[0]!.ms;
}

/** A bound as PostgreSQL writes it: `FOR VALUES FROM ('2026-01-01 00:00:00+00') TO (…)`, or MINVALUE. */
const bound = (which: "FROM" | "TO", toMs: (text: SQL) => SQL): SQL => {
  const text = sql`substring(x.bound from ${`${which} \\('?([^')]+)`}::text)`;
  return sql`CASE WHEN ${text} IN ('MINVALUE', 'MAXVALUE') THEN NULL ELSE ${toMs(text)} END`;
};

const dayToMs = (text: SQL) => sql`${text}::int * 86400000::float8`;
// Written and read in the same session, so its time zone does not matter.
const instantToMs = (text: SQL) => sql`(extract(epoch FROM ${text}::timestamptz) * 1000)::float8`;

type PartitionRow = {
  table: string;
  classNo: number;
  fromMs: number | null;
  toMs: number | null;
  bytes: string;
};

/** All tables at the ends of the three trees, told by their bounds and not by their names; only the catalogue is read. */
export async function listPartitions(db: DbOrTx): Promise<Partition[]> {
  const found: Partition[] = [];
  for (const { tier, table } of TIERS) {
    const toMs = tier === "hour" ? instantToMs : dayToMs;
    const rows = await db.execute<PartitionRow>(sql`
      SELECT x.name AS "table", substring(x.class_bound from '\\d+')::int AS "classNo",
        ${bound("FROM", toMs)} AS "fromMs", ${bound("TO", toMs)} AS "toMs", x.bytes::text
      FROM (
        SELECT leaf.oid::regclass::text AS name, pg_get_expr(leaf.relpartbound, leaf.oid) AS bound,
          pg_get_expr(list.relpartbound, list.oid) AS class_bound,
          coalesce(pg_total_relation_size(leaf.oid), 0) AS bytes
        FROM pg_inherits a
        JOIN pg_class list ON list.oid = a.inhrelid
        JOIN pg_inherits b ON b.inhparent = list.oid
        JOIN pg_class leaf ON leaf.oid = b.inhrelid
        WHERE a.inhparent = to_regclass(${table}::text) AND leaf.relkind = 'r'
        -- Without this the bounds are written out anew wherever they are used.
        OFFSET 0
      ) x`);
    for (const row of rows) {
      found.push({
        tier,
        table: row.table,
        classNo: row.classNo,
        fromMs: row.fromMs ?? Number.NEGATIVE_INFINITY,
        toMs: row.toMs ?? Number.POSITIVE_INFINITY,
        bytes: Number(row.bytes),
      });
    }
  }
  return found;
}

/** Samples in a partition of `history`, counted from the summaries of its rows; the blocks themselves are not read. */
export async function countSamples(db: DbOrTx, table: string): Promise<number> {
  const rows = await db.execute<{ n: string }>(
    sql`SELECT coalesce(sum(n), 0)::text AS n FROM ${sql.raw(table)}`,
  );
  return Number(rows[0]!.n);
}

/** Whether late samples of [fromMs, toMs) wait to be put into their days. */
export async function holdsWaiting(db: DbOrTx, fromMs: number, toMs: number): Promise<boolean> {
  const hour = (ms: number) => Math.min(INT_MAX, Math.max(-INT_MAX, hourOf(ms)));
  const [from, to] = [hour(fromMs), hour(toMs)];
  const rows = await db.execute<{ any: boolean }>(sql`
    SELECT EXISTS (SELECT 1 FROM history_hour WHERE hour_no >= ${from}::int AND hour_no < ${to}::int)
      OR EXISTS (SELECT 1 FROM history_minutes WHERE hour_no >= ${from}::int AND hour_no < ${to}::int) AS "any"`);
  return rows[0]!.any;
}

export async function holdsRows(db: DbOrTx, table: string): Promise<boolean> {
  const rows = await db.execute<{ any: boolean }>(
    sql`SELECT EXISTS (SELECT 1 FROM ${sql.raw(table)}) AS "any"`,
  );
  return rows[0]!.any;
}

export async function dropTable(tx: Tx, table: string): Promise<void> {
  await tx.execute(sql`DROP TABLE ${sql.raw(table)}`);
}

/** Removes up to `rows` rows that were kept aside before `before`; the number of rows and of samples in them. */
export async function deleteStray(
  tx: Tx,
  before: Date,
  rows: number,
): Promise<{ rows: number; samples: number }> {
  const gone = await tx.execute<{ rows: number; samples: string }>(sql`
    WITH gone AS (
      DELETE FROM history_stray WHERE id IN (
        SELECT id FROM history_stray WHERE at < ${before.toISOString()}::timestamptz ORDER BY at LIMIT ${rows}
      ) RETURNING n
    )
    SELECT count(*)::int AS rows, coalesce(sum(n), 0)::text AS samples FROM gone`);
  return { rows: gone[0]!.rows, samples: Number(gone[0]!.samples) };
}
