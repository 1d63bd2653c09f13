import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import { and, asc, eq, isNull } from "drizzle-orm";
import type { Db } from "../../db/client.ts";
import { device } from "../../db/schema/device.ts";
import { tag } from "../../db/schema/tag.ts";
import type { SnapshotPart } from "./snapshot.ts";

export interface TagOwner {
  tagNo: number;
  gatewayNo: number;
}

/** Rows, and gateways, asked for at once: five million tags in one answer would be a gigabyte for a moment. */
const OWNER_ROWS = 100_000;
const OWNER_GATEWAYS = 20;

const ownersOf = (rows: readonly { tag_no: string; gateway_no: number }[]): TagOwner[] =>
  rows.map((row) => ({ tagNo: Number(row.tag_no), gatewayNo: row.gateway_no }));

/** Which gateway may write which tag; of all gateways, or of some. In portions. */
export async function* findOwners(
  sql: SQL,
  gatewayIds: readonly string[] | null,
): AsyncGenerator<TagOwner[], void, undefined> {
  if (gatewayIds === null) {
    yield* allOwners(sql);
    return;
  }
  for (let i = 0; i < gatewayIds.length; i += OWNER_GATEWAYS) {
    const listed = JSON.stringify(gatewayIds.slice(i, i + OWNER_GATEWAYS));
    yield ownersOf(
      await sql`
      SELECT t.tag_no::text, g.gateway_no FROM tag t
      JOIN device d ON d.id = t.device_id JOIN gateway g ON g.id = d.gateway_id
      WHERE t.removed_at IS NULL AND g.id IN
        (SELECT x::uuid FROM jsonb_array_elements_text(${listed}::text::jsonb) AS x)`,
    );
  }
}

async function* allOwners(sql: SQL): AsyncGenerator<TagOwner[], void, undefined> {
  for (let after = 0; ; ) {
    const owners = ownersOf(
      await sql`
      SELECT t.tag_no::text, g.gateway_no FROM tag t
      JOIN device d ON d.id = t.device_id JOIN gateway g ON g.id = d.gateway_id
      WHERE t.removed_at IS NULL AND t.tag_no > ${after}::bigint ORDER BY t.tag_no LIMIT ${OWNER_ROWS}`,
    );
    yield owners;
    const last = owners.at(-1);
    if (owners.length < OWNER_ROWS || last === undefined) return;
    after = last.tagNo;
  }
}

export async function findParts(sql: SQL): Promise<SnapshotPart[]> {
  return await sql`SELECT part, newest, good FROM latest_snapshot ORDER BY part`;
}

export interface StreamPosition extends StreamKey {
  gatewayNo: number;
  epoch: number;
  seq: number;
}

/** Stores parts and how far they reach, together: a reader after a crash replays exactly what is not inside. */
export async function saveParts(
  sql: SQL,
  parts: readonly SnapshotPart[],
  positions: readonly StreamPosition[],
): Promise<void> {
  await sql.begin(async (tx) => {
    for (const { part, newest, good } of parts) {
      await tx`
        INSERT INTO latest_snapshot (part, newest, good) VALUES (${part}, ${newest}, ${good})
        ON CONFLICT (part) DO UPDATE SET newest = excluded.newest, good = excluded.good`;
    }
    await tx`
      UPDATE uplink_stream s SET latest_seq = greatest(s.latest_seq, x.seq)
      FROM jsonb_to_recordset(${JSON.stringify(positions)}::text::jsonb)
        AS x("gatewayNo" int, epoch bigint, lane text, seg bigint, seq bigint)
      WHERE s.gateway_no = x."gatewayNo" AND s.epoch = x.epoch AND s.lane = x.lane AND s.seg = x.seg`;
  });
}

export interface JournalFrame {
  gatewayNo: number;
  first: number;
  body: Uint8Array;
  /** To be added to the times in the body. */
  offsetMs: number;
}

/** Streams with frames that no stored part holds yet. */
export async function findBehind(sql: SQL): Promise<StreamPosition[]> {
  const rows: {
    gateway_no: number;
    epoch: string;
    lane: StreamKey["lane"];
    seg: string;
    latest_seq: string;
  }[] = await sql`
    SELECT gateway_no, epoch::text, lane, seg::text, latest_seq::text FROM uplink_stream WHERE last > latest_seq`;
  return rows.map((row) => ({
    gatewayNo: row.gateway_no,
    epoch: Number(row.epoch),
    lane: row.lane,
    seg: Number(row.seg),
    seq: Number(row.latest_seq),
  }));
}

/** The next frames with samples of a stream after a position, in order; those whose time is unknown are left out. */
export async function findFramesAfter(sql: SQL, at: StreamPosition, limit: number): Promise<JournalFrame[]> {
  const rows: { first: string; body: Uint8Array; offset_ms: number }[] = await sql`
    SELECT first::text, body, offset_ms FROM journal
    WHERE gateway_no = ${at.gatewayNo} AND epoch = ${at.epoch} AND lane = ${at.lane} AND seg = ${at.seg}
      AND first > ${at.seq}::bigint AND kind IN ('data', 'rollup') AND NOT clock_none
    ORDER BY journal.first LIMIT ${limit}`;
  return rows.map((row) => ({
    gatewayNo: at.gatewayNo,
    first: Number(row.first),
    body: row.body,
    offsetMs: row.offset_ms,
  }));
}

/** A frame whose times were put right; `body` null when it holds no samples. */
export interface ShiftedFrame extends StreamPosition {
  body: Uint8Array | null;
  offsetMs: number;
}

/**
 * Gives frames that were sealed without a clock the times that their boot's anchor tells, at most `limit` at once:
 * journal, gaps and events, and the position of the stored latest values, which do not hold them yet. The bytes stay as
 * sealed.
 *
 * @param gatewayNo null for all gateways
 */
export async function shiftAnchored(
  sql: SQL,
  gatewayNo: number | null,
  limit: number,
): Promise<ShiftedFrame[]> {
  const rows: {
    gateway_no: number;
    epoch: string;
    lane: StreamKey["lane"];
    seg: string;
    first: string;
    offset_ms: number;
    body: Uint8Array | null;
  }[] = await sql`
    WITH due AS (
      SELECT j.gateway_no, j.epoch, j.lane, j.seg, j.first, b.offset_ms
      FROM journal j JOIN boot_clock b ON b.gateway_no = j.gateway_no AND b.boot_no = j.boot_no
      WHERE j.clock_none AND (${gatewayNo === null} OR j.gateway_no = ${gatewayNo ?? 0})
      ORDER BY j.gateway_no, j.epoch, j.lane, j.seg, j.first LIMIT ${limit}
    ), shifted AS (
      UPDATE journal j SET clock_none = false, offset_ms = d.offset_ms, t_min = j.t_min + d.offset_ms,
        t_max = j.t_max + d.offset_ms
      FROM due d WHERE j.gateway_no = d.gateway_no AND j.epoch = d.epoch AND j.lane = d.lane AND j.seg = d.seg
        AND j.first = d.first AND j.clock_none
      RETURNING j.gateway_no, j.epoch, j.lane, j.seg, j.first, j.kind, j.offset_ms, j.body
    ), gaps AS (
      UPDATE gap g SET t_min = g.t_min + s.offset_ms, t_max = g.t_max + s.offset_ms FROM shifted s
      WHERE g.gateway_no = s.gateway_no AND g.epoch = s.epoch AND g.lane = s.lane AND g.seg = s.seg
        AND g.first = s.first
    ), told AS (
      UPDATE gateway_event e SET at = e.at + s.offset_ms FROM shifted s
      WHERE s.kind = 'events' AND e.gateway_no = s.gateway_no AND e.epoch = s.epoch AND e.seg = s.seg
        AND e.seq = s.first
    ), behind AS (
      UPDATE uplink_stream u SET latest_seq = least(u.latest_seq, m.first - 1)
      FROM (SELECT gateway_no, epoch, lane, seg, min(first) AS first FROM shifted GROUP BY 1, 2, 3, 4) m
      WHERE u.gateway_no = m.gateway_no AND u.epoch = m.epoch AND u.lane = m.lane AND u.seg = m.seg
    )
    SELECT gateway_no, epoch::text, lane, seg::text, first::text, offset_ms,
      CASE WHEN kind IN ('data', 'rollup') THEN body END AS body
    FROM shifted s ORDER BY s.epoch, s.lane, s.seg, s.first`;
  return rows.map((row) => ({
    gatewayNo: row.gateway_no,
    epoch: Number(row.epoch),
    lane: row.lane,
    seg: Number(row.seg),
    seq: Number(row.first),
    offsetMs: row.offset_ms,
    body: row.body,
  }));
}

/** Numbers of all present tags of a device or of a gateway. */
export async function findTagNos(db: Db, of: { deviceId?: string; gatewayId?: string }): Promise<number[]> {
  const rows = await db
    .select({ tagNo: tag.tagNo })
    .from(tag)
    .innerJoin(device, eq(device.id, tag.deviceId))
    .where(
      and(
        isNull(tag.removedAt),
        of.deviceId === undefined ? undefined : eq(tag.deviceId, of.deviceId),
        of.gatewayId === undefined ? undefined : eq(device.gatewayId, of.gatewayId),
      ),
    )
    .orderBy(asc(tag.tagNo));
  return rows.map((row) => row.tagNo);
}
