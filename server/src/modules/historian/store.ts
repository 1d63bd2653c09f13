import { sql } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { rowBytes, sampled, samplePercent } from "../../historian/estimate.ts";

/** Bytes of a table with indexes and TOAST. */
export async function tableBytes(db: Db, table: string): Promise<number> {
  const rows = await db.execute<{ bytes: string }>(sql`
    SELECT pg_total_relation_size(to_regclass(${table}::text))::text AS bytes`);
  return Number(rows[0]!.bytes);
}

/**
 * Frames with samples that wait in the journal. Of one that grew beyond a few ms of reading only some pages are looked
 * at; the oldest of those is then a little too young.
 */
export async function findWaiting(
  db: Db,
): Promise<{ frames: number; samples: number; oldestMs: number | null }> {
  const percent = samplePercent(await rowBytes(db, "journal"));
  const rows = await db.execute<{ frames: string; samples: string; oldest: number | null }>(sql`
    SELECT count(*)::text AS frames, coalesce(sum(n), 0)::text AS samples,
      (extract(epoch FROM min(received_at)) * 1000)::float8 AS oldest
    FROM ${sampled("journal", percent)} WHERE kind IN ('data', 'rollup')`);
  const row = rows[0]!;
  const whole = (text: string) => Math.round((Number(text) * 100) / percent);
  return { frames: whole(row.frames), samples: whole(row.samples), oldestMs: row.oldest };
}

/** Samples that the proofs stand for, from some of their pages when they are many. */
export async function countProven(db: Db): Promise<number> {
  const percent = samplePercent(await rowBytes(db, "frame_proof"));
  const rows = await db.execute<{ n: string }>(
    sql`SELECT coalesce(sum(samples), 0)::text AS n FROM ${sampled("frame_proof", percent)}`,
  );
  return (Number(rows[0]!.n) * 100) / percent;
}

export interface StoredDay {
  dayNo: number;
  tags: number;
  samples: number;
}

/** Days in one partition of `history`, from its first pages when it is large. */
export async function findDays(db: Db, table: string): Promise<StoredDay[]> {
  const percent = samplePercent(await rowBytes(db, table));
  const rows = await db.execute<{ dayNo: number; tags: string; samples: string }>(sql`
    SELECT day_no AS "dayNo", count(*) FILTER (WHERE part = 0)::text AS tags, sum(n)::text AS samples
    FROM ${sampled(table, percent)} GROUP BY day_no`);
  const whole = (text: string) => (Number(text) * 100) / percent;
  return rows.map(({ dayNo, tags, samples }) => ({ dayNo, tags: whole(tags), samples: whole(samples) }));
}

/** Rows of one table, from some of its pages when it is large. */
export async function countRows(db: Db, table: string): Promise<number> {
  const percent = samplePercent(await rowBytes(db, table));
  const rows = await db.execute<{ n: string }>(
    sql`SELECT count(*)::text AS n FROM ${sampled(table, percent)}`,
  );
  return (Number(rows[0]!.n) * 100) / percent;
}
