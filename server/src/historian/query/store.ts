import type { Interpolation } from "@millrace/contract/vocabulary/tag";
import type { DataType } from "@millrace/contract/vocabulary/value";
import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import { WIDE_SPAN_MS } from "../../ingest/apply.ts";
import { FUTURE_MS_MAX } from "../../modules/latest/cache.ts";
import { dayOf, groupOf, hourOf } from "../slot.ts";
import type { FrameName } from "./frame-cache.ts";

/** Every statement here takes all tags at once: an answer costs one round trip a level, however many tags it has. */

/** A list of whole numbers as one parameter. */
export const listOf = (numbers: Iterable<number>): string => `{${[...numbers].join(",")}}`;

export interface QueryTag {
  tagNo: number;
  path: string;
  unit: string;
  dataType: DataType;
  scaled: boolean;
  interpolation: Interpolation;
  heartbeatMs: number;
  /** Every gateway that ever wrote it. */
  gatewayNos: number[];
}

/** Tags by number, removed ones too: their history stays. */
export async function findTags(sql: SQL, tagNos: readonly number[]): Promise<QueryTag[]> {
  const rows: (Omit<QueryTag, "gatewayNos" | "tagNo"> & { tag_no: number; gateway_nos: string })[] =
    await sql`
    SELECT t.tag_no::float8 AS tag_no, t.path, t.unit, t.data_type AS "dataType", t.scale IS NOT NULL AS scaled,
      t.interpolation, t.heartbeat_ms AS "heartbeatMs",
      (SELECT coalesce(string_agg(w.gateway_no::text, ','), '') FROM tag_writer w WHERE w.tag_no = t.tag_no) AS gateway_nos
    FROM tag t WHERE t.tag_no = ANY(${listOf(tagNos)}::text::bigint[])`;
  return rows.map(({ tag_no: tagNo, gateway_nos, ...row }) => ({
    ...row,
    tagNo,
    gatewayNos: gateway_nos === "" ? [] : gateway_nos.split(",").map(Number),
  }));
}

/** Times in [fromMs, toMs). */
export interface Span {
  fromMs: number;
  toMs: number;
}

/**
 * Rows of one level in the order of their first sample. Those that begin after `span.fromMs` are cut off where
 * together they hold more than `samplesMax`: their `body` is then null, and nothing before them is missing.
 */
export interface LevelRow {
  n: number;
  tMin: number;
  tMax: number;
  body: Uint8Array | null;
}

export interface TagRow extends LevelRow {
  tagNo: number;
}

const mapTagRow = (row: {
  tag_no: number;
  n: number;
  t_min: number;
  t_max: number;
  body: Uint8Array | null;
}) => ({
  tagNo: row.tag_no,
  n: row.n,
  tMin: row.t_min,
  tMax: row.t_max,
  body: row.body,
});

/** Closed days. */
export async function findDayRows(
  sql: SQL,
  tagNos: readonly number[],
  { fromMs, toMs }: Span,
  samplesMax: number,
): Promise<TagRow[]> {
  const rows = await sql`
    SELECT tag_no::float8 AS tag_no, n, t_min, t_max,
      CASE WHEN t_min <= ${fromMs}::float8 OR run <= ${samplesMax}::bigint THEN body END AS body
    FROM (SELECT *, sum(n) OVER (ORDER BY t_min, tag_no, part) AS run FROM history
      WHERE tag_no = ANY(${listOf(tagNos)}::text::bigint[]) AND day_no >= ${dayOf(fromMs)}::int
        AND day_no <= ${dayOf(toMs - 1)}::int AND t_max >= ${fromMs}::float8 AND t_min < ${toMs}::float8) x
    ORDER BY t_min, tag_no, part`;
  return rows.map(mapTagRow);
}

/** Closed hours of days that are open, or got late samples. */
export async function findHourRows(
  sql: SQL,
  tagNos: readonly number[],
  { fromMs, toMs }: Span,
  samplesMax: number,
): Promise<TagRow[]> {
  const rows = await sql`
    SELECT tag_no::float8 AS tag_no, n, t_min, t_max,
      CASE WHEN t_min <= ${fromMs}::float8 OR run <= ${samplesMax}::bigint THEN body END AS body
    FROM (SELECT *, sum(n) OVER (ORDER BY t_min, tag_no, part) AS run FROM history_hour
      WHERE tag_no = ANY(${listOf(tagNos)}::text::bigint[]) AND hour_no >= ${hourOf(fromMs)}::int
        AND hour_no <= ${hourOf(toMs - 1)}::int AND t_max >= ${fromMs}::float8 AND t_min < ${toMs}::float8) x
    ORDER BY t_min, tag_no, part`;
  return rows.map(mapTagRow);
}

export interface GroupRow extends LevelRow {
  id: number;
  groupNo: number;
  hourNo: number;
}

/** Blocks of neighbouring tags, just out of the journal. */
export async function findGroupRows(
  sql: SQL,
  tagNos: readonly number[],
  { fromMs, toMs }: Span,
  samplesMax: number,
): Promise<GroupRow[]> {
  const groups = listOf(new Set(tagNos.map(groupOf)));
  const rows: {
    id: number;
    group_no: number;
    hour_no: number;
    n: number;
    t_min: number;
    t_max: number;
    body: Uint8Array | null;
  }[] = await sql`
    SELECT id::float8 AS id, group_no, hour_no, n, t_min, t_max,
      CASE WHEN t_min <= ${fromMs}::float8 OR run <= ${samplesMax}::bigint THEN body END AS body
    FROM (SELECT *, sum(n) OVER (ORDER BY t_min, id) AS run FROM history_minutes
      WHERE group_no = ANY(${groups}::text::int[]) AND hour_no >= ${hourOf(fromMs)}::int
        AND hour_no <= ${hourOf(toMs - 1)}::int AND t_max >= ${fromMs}::float8 AND t_min < ${toMs}::float8) x
    ORDER BY t_min, id`;
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

export interface FrameRow extends FrameName {
  n: number;
  tMin: number;
  tMax: number;
  /** Samples of this frame and of those that begin before it. */
  run: number;
  receivedAtMs: number;
  /** To be added to the times in the body. */
  offsetMs: number;
  /** Samples later than this, or all when nobody knows their time yet, are uncertain by their clock. */
  believedToMs: number;
}

/**
 * Frames in the journal of all gateways that ever wrote one of the tags, without their bodies. The index on t_max is
 * bounded at both ends: a frame that is not marked wide reaches at most `WIDE_SPAN_MS` back.
 */
export async function findFrames(
  sql: SQL,
  tagNos: readonly number[],
  { fromMs, toMs }: Span,
): Promise<FrameRow[]> {
  const rows: {
    gateway_no: number;
    epoch: number;
    lane: StreamKey["lane"];
    seg: number;
    first: number;
    n: number;
    t_min: number;
    t_max: number;
    run: number;
    offset_ms: number;
    clock_none: boolean;
    received_at: Date;
  }[] = await sql`
    SELECT j.gateway_no, epoch::float8 AS epoch, lane, seg::float8 AS seg, first::float8 AS first, n, t_min, t_max,
      (sum(n) OVER (ORDER BY t_min, received_at, epoch, lane, seg, first))::float8 AS run, offset_ms, clock_none,
      received_at
    FROM journal j
    WHERE gateway_no IN (SELECT gateway_no FROM tag_writer WHERE tag_no = ANY(${listOf(tagNos)}::text::bigint[]))
      AND kind IN ('data', 'rollup') AND t_max >= ${fromMs}::float8 AND t_min < ${toMs}::float8
      AND ((NOT wide AND t_max < ${toMs + WIDE_SPAN_MS}::float8) OR wide)
    ORDER BY t_min, received_at, epoch, lane, seg, first`;
  return rows.map((row) => ({
    gatewayNo: row.gateway_no,
    epoch: row.epoch,
    lane: row.lane,
    seg: row.seg,
    first: row.first,
    n: row.n,
    tMin: row.t_min,
    tMax: row.t_max,
    run: row.run,
    receivedAtMs: row.received_at.getTime(),
    offsetMs: row.offset_ms,
    believedToMs: row.clock_none ? Number.NEGATIVE_INFINITY : row.received_at.getTime() + FUTURE_MS_MAX,
  }));
}

/** Bodies of frames, in the order asked for. The caller reads both in one snapshot, so none is missing. */
export async function findFrameBodies(sql: SQL, frames: readonly FrameName[]): Promise<Uint8Array[]> {
  const listed = JSON.stringify(
    frames.map(({ gatewayNo, epoch, lane, seg, first }, i) => ({
      i,
      g: gatewayNo,
      e: epoch,
      l: lane,
      s: seg,
      f: first,
    })),
  );
  const rows: { body: Uint8Array }[] = await sql`
    SELECT j.body FROM jsonb_to_recordset(${listed}::text::jsonb) AS x(i int, g int, e bigint, l text, s bigint, f bigint)
    JOIN journal j ON j.gateway_no = x.g AND j.epoch = x.e AND j.lane = x.l AND j.seg = x.s AND j.first = x.f
    ORDER BY x.i`;
  return rows.map(({ body }) => body);
}

export interface GapRow {
  gatewayNo: number;
  tMin: number;
  tMax: number;
  cause: string;
  n: number;
}

/** Stretches known to be missing at the gateways of the tags, the first of them in order of time. */
export async function findGaps(
  sql: SQL,
  tagNos: readonly number[],
  { fromMs, toMs }: Span,
  limit: number,
): Promise<GapRow[]> {
  const rows: { gateway_no: number; t_min: number; t_max: number; cause: string; n: number }[] = await sql`
    SELECT gateway_no, t_min, t_max, cause, n::float8 AS n FROM gap
    WHERE gateway_no IN (SELECT gateway_no FROM tag_writer WHERE tag_no = ANY(${listOf(tagNos)}::text::bigint[]))
      AND t_max >= ${fromMs}::float8 AND t_min < ${toMs}::float8
    ORDER BY t_min, gateway_no, epoch, lane, seg, first LIMIT ${limit}`;
  return rows.map((row) => ({
    gatewayNo: row.gateway_no,
    tMin: row.t_min,
    tMax: row.t_max,
    cause: row.cause,
    n: row.n,
  }));
}
