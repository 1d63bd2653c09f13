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

/** Which gateway may write which tag; of all gateways, or of some. */
export async function findOwners(sql: SQL, gatewayIds: readonly string[] | null): Promise<TagOwner[]> {
  const listed = JSON.stringify(gatewayIds ?? []);
  const rows: { tag_no: string; gateway_no: number }[] = await sql`
    SELECT t.tag_no::text, g.gateway_no FROM tag t
    JOIN device d ON d.id = t.device_id JOIN gateway g ON g.id = d.gateway_id
    WHERE t.removed_at IS NULL AND (${gatewayIds === null} OR g.id IN
      (SELECT x::uuid FROM jsonb_array_elements_text(${listed}::text::jsonb) AS x))
    ORDER BY t.tag_no`;
  return rows.map((row) => ({ tagNo: Number(row.tag_no), gatewayNo: row.gateway_no }));
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

/** The next data frames of a stream after a position, in order. */
export async function findFramesAfter(sql: SQL, at: StreamPosition, limit: number): Promise<JournalFrame[]> {
  const rows: { first: string; body: Uint8Array }[] = await sql`
    SELECT first::text, body FROM journal
    WHERE gateway_no = ${at.gatewayNo} AND epoch = ${at.epoch} AND lane = ${at.lane} AND seg = ${at.seg}
      AND first > ${at.seq}::bigint AND kind = 'data'
    ORDER BY first LIMIT ${limit}`;
  return rows.map((row) => ({ gatewayNo: at.gatewayNo, first: Number(row.first), body: row.body }));
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
