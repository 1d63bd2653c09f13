import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import type { coverageBlock } from "../../db/schema/completeness.ts";
import type { BlockKey } from "./board.ts";

/** How far a stream is marked, or is to be marked. */
export interface StreamPosition extends StreamKey {
  gatewayNo: number;
  epoch: number;
  seq: number;
}

export type StoredBlock = typeof coverageBlock.$inferSelect;

/** Stored bodies of these blocks; those that are not stored yet are left out. */
export async function loadBlocks(sql: SQL, keys: readonly BlockKey[]): Promise<StoredBlock[]> {
  if (keys.length === 0) return [];
  const listed = JSON.stringify(keys.map(({ gatewayNo, dayNo, blockNo }) => ({ gatewayNo, dayNo, blockNo })));
  const rows: { gateway_no: number; day_no: number; block_no: number; body: Uint8Array }[] = await sql`
    SELECT c.gateway_no, c.day_no, c.block_no, c.body
    FROM jsonb_to_recordset(${listed}::text::jsonb) AS x("gatewayNo" int, "dayNo" int, "blockNo" int)
    JOIN coverage_block c
      ON c.gateway_no = x."gatewayNo" AND c.day_no = x."dayNo" AND c.block_no = x."blockNo"`;
  return rows.map((row) => ({
    gatewayNo: row.gateway_no,
    dayNo: row.day_no,
    blockNo: row.block_no,
    body: row.body,
  }));
}

export async function saveBlocks(sql: SQL, blocks: readonly StoredBlock[]): Promise<void> {
  await sql.begin(async (tx) => {
    for (const { gatewayNo, dayNo, blockNo, body } of blocks) {
      await tx`
        INSERT INTO coverage_block (gateway_no, day_no, block_no, body)
        VALUES (${gatewayNo}, ${dayNo}, ${blockNo}, ${body})
        ON CONFLICT (block_no, day_no, gateway_no) DO UPDATE SET body = excluded.body`;
    }
  });
}

/** To be called once everything up to these positions is stored. */
export async function savePositions(sql: SQL, positions: readonly StreamPosition[]): Promise<void> {
  if (positions.length === 0) return;
  await sql`
    INSERT INTO coverage_position AS p (gateway_no, epoch, lane, seg, seq)
    SELECT x."gatewayNo", x.epoch, x.lane, x.seg, x.seq
    FROM jsonb_to_recordset(${JSON.stringify(positions)}::text::jsonb)
      AS x("gatewayNo" int, epoch bigint, lane text, seg bigint, seq bigint)
    ON CONFLICT (gateway_no, epoch, lane, seg) DO UPDATE SET seq = greatest(p.seq, excluded.seq)`;
}

/** A stream with frames that no stored block holds: from `seq`, which is done, to `last`. */
export interface StreamBehind extends StreamPosition {
  last: number;
}

export async function findBehind(sql: SQL): Promise<StreamBehind[]> {
  const rows: {
    gateway_no: number;
    epoch: string;
    lane: StreamKey["lane"];
    seg: string;
    last: string;
    seq: string;
  }[] = await sql`
    SELECT s.gateway_no, s.epoch::text, s.lane, s.seg::text, s.last::text, coalesce(p.seq, 0)::text AS seq
    FROM uplink_stream s LEFT JOIN coverage_position p USING (gateway_no, epoch, lane, seg)
    WHERE s.last > coalesce(p.seq, 0) AND s.lane <> 'L'
    ORDER BY s.gateway_no, s.epoch DESC, s.seg DESC`;
  return rows.map((row) => ({
    gatewayNo: row.gateway_no,
    epoch: Number(row.epoch),
    lane: row.lane,
    seg: Number(row.seg),
    last: Number(row.last),
    seq: Number(row.seq),
  }));
}

export interface SampleFrame extends StreamKey {
  epoch: number;
  first: number;
  body: Uint8Array;
  /** To be added to the times in the body. */
  offsetMs: number;
}

interface FrameRow {
  epoch: string;
  lane: StreamKey["lane"];
  seg: string;
  first: string;
  body: Uint8Array;
  offset_ms: number;
}

const mapFrame = (row: FrameRow): SampleFrame => ({
  epoch: Number(row.epoch),
  lane: row.lane,
  seg: Number(row.seg),
  first: Number(row.first),
  body: row.body,
  offsetMs: row.offset_ms,
});

/** The next frames with samples of a stream after a position; those whose times nobody knows yet are left out. */
export async function findFramesAfter(sql: SQL, at: StreamPosition, limit: number): Promise<SampleFrame[]> {
  const rows: FrameRow[] = await sql`
    SELECT epoch::text, lane, seg::text, first::text, body, offset_ms FROM journal
    WHERE gateway_no = ${at.gatewayNo} AND epoch = ${at.epoch} AND lane = ${at.lane} AND seg = ${at.seg}
      AND first > ${at.seq}::bigint AND kind IN ('data', 'rollup') AND NOT clock_none
    ORDER BY journal.first LIMIT ${limit}`;
  return rows.map(mapFrame);
}

export interface LateBoot {
  gatewayNo: number;
  bootNo: number;
  /** When its times became known, ms UTC. */
  atMs: number;
}

/** Boots whose frames all have their times by now and are not marked yet. */
export async function findLateBoots(sql: SQL): Promise<LateBoot[]> {
  const rows: { gateway_no: number; boot_no: string; at_ms: number }[] = await sql`
    SELECT b.gateway_no, b.boot_no::text, (extract(epoch FROM b.at) * 1000)::float8 AS at_ms
    FROM boot_clock b LEFT JOIN coverage_boot c USING (gateway_no, boot_no)
    WHERE c.boot_no IS NULL AND NOT EXISTS (SELECT 1 FROM journal j
      WHERE j.gateway_no = b.gateway_no AND j.boot_no = b.boot_no AND j.clock_none)
    ORDER BY b.at LIMIT 100`;
  return rows.map((row) => ({
    gatewayNo: row.gateway_no,
    bootNo: Number(row.boot_no),
    atMs: row.at_ms,
  }));
}

/** Frames of a boot without a clock, a page at a time, none older than `fromMs`. */
export async function findBootFrames(
  sql: SQL,
  boot: LateBoot,
  fromMs: number,
  after: SampleFrame | null,
  limit: number,
): Promise<SampleFrame[]> {
  const rows: FrameRow[] = await sql`
    SELECT epoch::text, lane, seg::text, first::text, body, offset_ms FROM journal
    WHERE gateway_no = ${boot.gatewayNo} AND boot_no = ${boot.bootNo} AND offset_ms <> 0
      AND kind IN ('data', 'rollup') AND t_max >= ${fromMs}::float8
      AND (epoch, lane, seg, first) > (${after?.epoch ?? 0}::bigint, ${after?.lane ?? ""}::text,
        ${after?.seg ?? 0}::bigint, ${after?.first ?? 0}::bigint)
    ORDER BY journal.epoch, journal.lane, journal.seg, journal.first LIMIT ${limit}`;
  return rows.map(mapFrame);
}

/** To be called once everything that was marked of these boots is stored. */
export async function saveBoots(sql: SQL, boots: readonly LateBoot[]): Promise<void> {
  for (const { gatewayNo, bootNo } of boots) {
    await sql`
      INSERT INTO coverage_boot (gateway_no, boot_no) VALUES (${gatewayNo}, ${bootNo}) ON CONFLICT DO NOTHING`;
  }
}

/**
 * Notes since when tags exist that are not noted yet: since now. The first time ever, since their device exists, whose
 * identity begins with the moment it was made: an older hub has tags already.
 */
export async function noteTags(sql: SQL, nowMs: number, gatewayIds: readonly string[] | null): Promise<void> {
  if (gatewayIds === null) return await noteSome(sql, nowMs, sql``);
  // In portions, each found by index: a few gateways must not cost a walk over all tags, and all not one list of all.
  for (let i = 0; i < gatewayIds.length; i += NOTED_GATEWAYS) {
    const listed = JSON.stringify(gatewayIds.slice(i, i + NOTED_GATEWAYS));
    await noteSome(
      sql,
      nowMs,
      sql`AND t.device_id = ANY (ARRAY(SELECT d.id FROM device d WHERE d.gateway_id IN
        (SELECT x::uuid FROM jsonb_array_elements_text(${listed}::text::jsonb) AS x)))`,
    );
  }
}

const NOTED_GATEWAYS = 20;

async function noteSome(sql: SQL, nowMs: number, which: SQL.Query<unknown>): Promise<void> {
  await sql`
    INSERT INTO coverage_tag (tag_no, since)
    SELECT t.tag_no, CASE WHEN EXISTS (SELECT 1 FROM coverage_tag) THEN ${new Date(nowMs)}::timestamptz
      ELSE least(${new Date(nowMs)}::timestamptz, to_timestamp(
        ('x' || left(replace(t.device_id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)) END
    FROM tag t WHERE NOT EXISTS (SELECT 1 FROM coverage_tag c WHERE c.tag_no = t.tag_no) ${which}
    ON CONFLICT DO NOTHING`;
}
