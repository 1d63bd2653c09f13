import type { SQL } from "bun";
import { WIDE_SPAN_MS } from "../../ingest/apply.ts";
import { dayOf, groupOf, hourOf } from "../slot.ts";
import type { Side } from "./beside.ts";
import { type FrameRow, findFrames, type GroupRow, listOf, type Span, type TagRow } from "./store.ts";

/** Rows of the levels of many tags that are looked at; those of one hour at most, as long as hours are closed in time. */
const ROWS_MAX = 256;

/** Kinds of a tag lie in parts of their own, so the nearest sample is in one of the nearest rows: two of each. */
const KINDS_NEAR = 4;

/** The nearest rows of each tag in a closed level. */
export async function findTagRowsBeside(
  sql: SQL,
  level: "history" | "history_hour",
  tagNos: readonly number[],
  side: Side,
  { fromMs, toMs }: Span,
): Promise<TagRow[]> {
  const slot = level === "history" ? "day_no" : "hour_no";
  const slotOf = level === "history" ? dayOf : hourOf;
  const way = side === "before" ? "DESC" : "ASC";
  const edge = side === "before" ? "t_max" : "t_min";
  // Names of columns cannot be parameters; these come from the lines above.
  const rows: { tag_no: number; n: number; t_min: number; t_max: number; body: Uint8Array }[] =
    await sql.unsafe(
      `SELECT x.tag_no::float8 AS tag_no, r.n, r.t_min, r.t_max, r.body
     FROM unnest($1::text::bigint[]) AS x(tag_no) CROSS JOIN LATERAL (
       SELECT n, t_min, t_max, body FROM ${level}
       WHERE tag_no = x.tag_no AND ${slot} >= $2::int AND ${slot} <= $3::int AND t_max >= $4::float8 AND t_min < $5::float8
       ORDER BY ${slot} ${way}, ${edge} ${way} LIMIT ${KINDS_NEAR}) r`,
      [listOf(tagNos), slotOf(fromMs), slotOf(toMs - 1), fromMs, toMs],
    );
  return rows.map((row) => ({
    tagNo: row.tag_no,
    n: row.n,
    tMin: row.t_min,
    tMax: row.t_max,
    body: row.body,
  }));
}

/** The nearest rows of the groups of the tags. */
export async function findGroupRowsBeside(
  sql: SQL,
  tagNos: readonly number[],
  side: Side,
  { fromMs, toMs }: Span,
): Promise<GroupRow[]> {
  const way = side === "before" ? "DESC" : "ASC";
  const edge = side === "before" ? "t_max" : "t_min";
  const rows: {
    id: number;
    group_no: number;
    hour_no: number;
    n: number;
    t_min: number;
    t_max: number;
    body: Uint8Array;
  }[] = await sql.unsafe(
    `SELECT id::float8 AS id, group_no, hour_no, n, t_min, t_max, body FROM history_minutes
     WHERE group_no = ANY($1::text::int[]) AND hour_no >= $2::int AND hour_no <= $3::int AND t_max >= $4::float8
       AND t_min < $5::float8
     ORDER BY hour_no ${way}, ${edge} ${way} LIMIT ${ROWS_MAX}`,
    [listOf(new Set(tagNos.map(groupOf))), hourOf(fromMs), hourOf(toMs - 1), fromMs, toMs],
  );
  return rows.map((row) => ({
    id: row.id,
    groupNo: row.group_no,
    hourNo: row.hour_no,
    n: row.n,
    tMin: row.t_min,
    tMax: row.t_max,
    body: row.body,
  }));
}

/** The nearest frames; what the journal holds within an hour of the place asked for. */
export async function findFramesBeside(
  sql: SQL,
  tagNos: readonly number[],
  side: Side,
  { fromMs, toMs }: Span,
): Promise<FrameRow[]> {
  const near =
    side === "before"
      ? { fromMs: Math.max(fromMs, toMs - WIDE_SPAN_MS), toMs }
      : { fromMs, toMs: Math.min(toMs, fromMs + WIDE_SPAN_MS) };
  const frames = await findFrames(sql, tagNos, near);
  const sorted =
    side === "before" ? frames.sort((a, b) => b.tMax - a.tMax) : frames.sort((a, b) => a.tMin - b.tMin);
  return sorted.slice(0, ROWS_MAX);
}
