import type { SQL } from "bun";
import { intArray } from "../int-array.ts";
import { HISTORIAN } from "../limits.ts";
import { packRows } from "./journal-store.ts";

/** All tag numbers that groups can have. */
export const tagsOfGroups = (groups: readonly number[]): number[] =>
  groups.flatMap((groupNo) =>
    Array.from({ length: HISTORIAN.groupTags }, (_, i) => groupNo * HISTORIAN.groupTags + i),
  );

export interface MinuteRow {
  id: string;
  groupNo: number;
  n: number;
  body: Uint8Array;
}

/**
 * Rows of some groups within one hour, by group and order of arrival.
 * @param samplesMax of one group; what is above waits for the next turn and is merged then
 */
export async function findMinuteRows(
  tx: SQL,
  hourNo: number,
  groups: readonly number[],
  samplesMax: number,
): Promise<MinuteRow[]> {
  const rows: { id: string; group_no: number; n: number; body: Uint8Array }[] = await tx`
    SELECT id::text, group_no, n, body FROM (
      SELECT m.*, sum(m.n) OVER (PARTITION BY m.group_no ORDER BY m.id) - m.n AS before
      FROM history_minutes m WHERE m.hour_no = ${hourNo} AND m.group_no = ANY(${intArray(groups)}::text::int[])
    ) x WHERE before < ${samplesMax} ORDER BY group_no, x.id`;
  return rows.map((row) => ({ id: row.id, groupNo: row.group_no, n: row.n, body: row.body }));
}

export async function deleteMinuteRows(tx: SQL, ids: readonly string[]): Promise<number> {
  const rows: { n: number }[] = await tx`
    WITH gone AS (
      DELETE FROM history_minutes WHERE id = ANY(${intArray(ids)}::text::bigint[]) RETURNING 1
    ) SELECT count(*)::int AS n FROM gone`;
  return rows[0]?.n ?? 0;
}

export interface StoredBody {
  tagNo: number;
  body: Uint8Array;
}

/** What these groups have of the hour already, in the order of its parts. */
export async function findHourBodies(
  tx: SQL,
  hourNo: number,
  groups: readonly number[],
): Promise<StoredBody[]> {
  const rows: { tag_no: string; body: Uint8Array }[] = await tx`
    SELECT tag_no::text, body FROM history_hour
    WHERE tag_no = ANY(${intArray(tagsOfGroups(groups))}::text::bigint[]) AND hour_no = ${hourNo}
    ORDER BY history_hour.tag_no, part`;
  return rows.map((row) => ({ tagNo: Number(row.tag_no), body: row.body }));
}

export async function deleteHourRows(tx: SQL, hourNo: number, tagNos: Iterable<number>): Promise<void> {
  await tx`
    DELETE FROM history_hour WHERE tag_no = ANY(${intArray(tagNos)}::text::bigint[]) AND hour_no = ${hourNo}`;
}

/** A row of `history_hour`. */
export interface HourRow {
  tagNo: number;
  hourNo: number;
  part: number;
  n: number;
  tMin: number;
  tMax: number;
  body: Uint8Array;
  /** Of part 0 only. */
  minutes: Uint8Array | null;
}

export async function insertHourRows(tx: SQL, all: readonly HourRow[], closedAt: Date): Promise<void> {
  // Figures travel behind the samples of their row.
  const joined = all.map((row) => ({ row, body: row.minutes ? concat(row.body, row.minutes) : row.body }));
  for (const { rows, packed } of packRows(joined)) {
    const meta = rows.map(({ row: { row }, o }) => ({
      t: row.tagNo,
      h: row.hourNo,
      p: row.part,
      n: row.n,
      a: row.tMin,
      b: row.tMax,
      o,
      len: row.body.length,
      mo: o + row.body.length,
      ml: row.minutes?.length ?? null,
    }));
    await tx`
      INSERT INTO history_hour (tag_no, hour_no, part, n, t_min, t_max, closed_at, body, minutes)
      SELECT t, h, p, n, a, b, ${closedAt}::timestamptz, substring(${packed}::bytea FROM o FOR len),
        substring(${packed}::bytea FROM mo FOR ml)
      FROM jsonb_to_recordset(${JSON.stringify(meta)}::text::jsonb)
        AS x(t bigint, h int, p int, n int, a float8, b float8, o int, len int, mo int, ml int)`;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Of the tags, those whose day is closed already. */
export async function findClosed(tx: SQL, dayNo: number, tagNos: readonly number[]): Promise<Set<number>> {
  const rows: { tag_no: string }[] = await tx`
    SELECT DISTINCT tag_no::text FROM history
    WHERE tag_no = ANY(${intArray(tagNos)}::text::bigint[]) AND day_no = ${dayNo}`;
  return new Set(rows.map((row) => Number(row.tag_no)));
}

/** Class of each tag; the first where nothing else is known. */
export async function findClasses(tx: SQL, tagNos: readonly number[]): Promise<(tagNo: number) => number> {
  const rows: { tag_no: string; class_no: number }[] = await tx`
    SELECT t.tag_no::text, c.class_no::int FROM tag t JOIN retention_class c ON c.name = t.retention
    WHERE t.tag_no = ANY(${intArray(tagNos)}::text::bigint[]) AND c.class_no <> 1`;
  const classes = new Map(rows.map((row) => [Number(row.tag_no), row.class_no]));
  return (tagNo) => classes.get(tagNo) ?? 1;
}

export async function findClassNos(sql: SQL): Promise<number[]> {
  const rows: { class_no: number }[] = await sql`SELECT class_no::int FROM retention_class ORDER BY 1`;
  return rows.map((row) => row.class_no);
}
