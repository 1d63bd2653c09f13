import type { SQL } from "bun";
import { intArray } from "../int-array.ts";
import { tagsOfGroups } from "./hour-store.ts";
import { packRows } from "./journal-store.ts";

/** Hours of a tag that wait for their day, oldest first. */
export interface WaitingTag {
  tagNo: number;
  n: number;
}

/** Tags of some groups with hours of a day that wait, and how many samples they are. */
export async function findWaitingTags(
  tx: SQL,
  dayNo: number,
  groups: readonly number[],
): Promise<WaitingTag[]> {
  const rows: { tag_no: string; n: string }[] = await tx`
    SELECT tag_no::text, sum(n)::text AS n FROM history_hour
    WHERE tag_no = ANY(${intArray(tagsOfGroups(groups))}::text::bigint[])
      AND hour_no >= ${dayNo * 24} AND hour_no < ${dayNo * 24 + 24}
    GROUP BY history_hour.tag_no ORDER BY history_hour.tag_no`;
  return rows.map((row) => ({ tagNo: Number(row.tag_no), n: Number(row.n) }));
}

export interface WaitingHour {
  tagNo: number;
  hourNo: number;
  n: number;
  body: Uint8Array;
  minutes: Uint8Array | null;
}

/** By tag, hour and part. */
export async function findWaitingHours(
  tx: SQL,
  dayNo: number,
  tagNos: readonly number[],
): Promise<WaitingHour[]> {
  const rows: { tag_no: string; hour_no: number; n: number; body: Uint8Array; minutes: Uint8Array | null }[] =
    await tx`
      SELECT h.tag_no::text, h.hour_no, h.n, h.body, h.minutes
      FROM history_hour h WHERE h.tag_no = ANY(${intArray(tagNos)}::text::bigint[])
        AND h.hour_no >= ${dayNo * 24} AND h.hour_no < ${dayNo * 24 + 24}
      ORDER BY h.tag_no, h.hour_no, h.part`;
  return rows.map((row) => ({
    tagNo: Number(row.tag_no),
    hourNo: row.hour_no,
    n: row.n,
    body: row.body,
    minutes: row.minutes,
  }));
}

/** @returns how many rows went */
export async function deleteWaitingHours(tx: SQL, dayNo: number, tagNos: readonly number[]): Promise<number> {
  const rows: { n: number }[] = await tx`
    WITH gone AS (
      DELETE FROM history_hour WHERE tag_no = ANY(${intArray(tagNos)}::text::bigint[])
        AND hour_no >= ${dayNo * 24} AND hour_no < ${dayNo * 24 + 24} RETURNING 1
    ) SELECT count(*)::int AS n FROM gone`;
  return rows[0]?.n ?? 0;
}

/** What the tags have of this day already, by tag and part. */
export async function findDayBodies(
  tx: SQL,
  dayNo: number,
  tagNos: readonly number[],
): Promise<{ tagNo: number; body: Uint8Array }[]> {
  const rows: { tag_no: string; body: Uint8Array }[] = await tx`
    SELECT h.tag_no::text, h.body FROM history h
    WHERE h.tag_no = ANY(${intArray(tagNos)}::text::bigint[]) AND h.day_no = ${dayNo}
    ORDER BY h.tag_no, h.part`;
  return rows.map((row) => ({ tagNo: Number(row.tag_no), body: row.body }));
}

/** Takes the day of these tags away, whatever class they were in, so that it can be written anew. */
export async function deleteDays(tx: SQL, dayNo: number, tagNos: readonly number[]): Promise<void> {
  await tx`
    DELETE FROM history WHERE tag_no = ANY(${intArray(tagNos)}::text::bigint[]) AND day_no = ${dayNo}`;
  await tx`
    DELETE FROM minute_tier WHERE tag_no = ANY(${intArray(tagNos)}::text::bigint[]) AND day_no = ${dayNo}`;
}

/** A row of `history`. */
export interface DayRow {
  tagNo: number;
  part: number;
  classNo: number;
  n: number;
  tMin: number;
  tMax: number;
  min: number | null;
  max: number | null;
  sum: number | null;
  first: number | null;
  last: number | null;
  uncertain: number;
  bad: number;
  body: Uint8Array;
}

export async function insertDayRows(tx: SQL, dayNo: number, all: readonly DayRow[]): Promise<void> {
  for (const { rows, packed } of packRows(all)) {
    const meta = rows.map(({ row: { body, ...facts }, o }) => ({ ...facts, o, len: body.length }));
    await tx`
      INSERT INTO history (tag_no, t_min, t_max, v_min, v_max, v_sum, v_first, v_last, day_no, n, uncertain, bad, part,
        class_no, body)
      SELECT "tagNo", "tMin", "tMax", min, max, sum, first, last, ${dayNo}::int, n, uncertain, bad, part, "classNo",
        substring(${packed}::bytea FROM o FOR len)
      FROM jsonb_to_recordset(${JSON.stringify(meta)}::text::jsonb) AS x("tagNo" bigint, "tMin" float8, "tMax" float8,
        min float8, max float8, sum float8, first float8, last float8, n int, uncertain int, bad int, part int,
        "classNo" int, o int, len int)`;
  }
}

export interface MinuteTierRow {
  tagNo: number;
  classNo: number;
  body: Uint8Array;
}

export async function insertMinuteTiers(
  tx: SQL,
  dayNo: number,
  all: readonly MinuteTierRow[],
): Promise<void> {
  for (const { rows, packed } of packRows(all)) {
    const meta = rows.map(({ row: { tagNo, classNo, body }, o }) => ({
      tagNo,
      classNo,
      o,
      len: body.length,
    }));
    await tx`
      INSERT INTO minute_tier (tag_no, day_no, class_no, body)
      SELECT "tagNo", ${dayNo}::int, "classNo", substring(${packed}::bytea FROM o FOR len)
      FROM jsonb_to_recordset(${JSON.stringify(meta)}::text::jsonb) AS x("tagNo" bigint, "classNo" int, o int, len int)`;
  }
}
