import { sql } from "drizzle-orm";
import type { DbOrTx } from "../db/client.ts";

export const ESTIMATE = {
  /** Pages of a table, or of a whole partition tree, that are looked at: 4 MiB, a few ms when they are in memory. */
  pagesMax: 512,
} as const;

const PAGE_BYTES = 8_192;

/** Share of the pages to look at, per cent; 100 reads them all and makes the figures exact. */
export function samplePercent(bytes: number): number {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  return pages <= ESTIMATE.pagesMax ? 100 : (100 * ESTIMATE.pagesMax) / pages;
}

/** Bytes of the rows alone, without indexes and TOAST, of a table or of all tables below it. */
export async function rowBytes(db: DbOrTx, table: string): Promise<number> {
  const rows = await db.execute<{ bytes: string }>(sql`
    SELECT coalesce(sum(pg_relation_size(relid)), 0)::text AS bytes FROM pg_partition_tree(to_regclass(${table}::text))`);
  return Number(rows[0]!.bytes);
}

/** `FROM` of a table of which `percent` of the pages are read; always the same pages, so that figures stand still. */
export const sampled = (table: string, percent: number) =>
  percent >= 100
    ? sql.raw(table)
    : sql`${sql.raw(table)} TABLESAMPLE SYSTEM (${sql.raw(percent.toFixed(6))}) REPEATABLE (1)`;

/**
 * Rows, and samples by the column `n`, of a table or partition tree: exact up to `ESTIMATE.pagesMax` pages, above that
 * carried over from so many pages. Never longer than a few ms, whatever the size.
 */
export async function estimateSamples(
  db: DbOrTx,
  table: string,
): Promise<{ rows: number; samples: number; exact: boolean }> {
  const percent = samplePercent(await rowBytes(db, table));
  const found = await db.execute<{ rows: string; samples: string }>(sql`
    SELECT count(*)::text AS rows, coalesce(sum(n), 0)::text AS samples FROM ${sampled(table, percent)}`);
  const whole = (text: string) => Math.round((Number(text) * 100) / percent);
  return { rows: whole(found[0]!.rows), samples: whole(found[0]!.samples), exact: percent >= 100 };
}
