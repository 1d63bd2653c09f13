import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import { intArray } from "../int-array.ts";
import type { ProofKind } from "../proof/proof.ts";
import type { GroupBlock } from "./regroup.ts";
import type { StrayReason } from "./sift.ts";

/** A frame that may leave the journal. */
export interface DueFrame extends StreamKey {
  epoch: number;
  first: number;
  last: number;
  kind: ProofKind;
  n: number;
  crc: number;
  offsetMs: number;
  receivedMs: number;
  /** Empty for a frame that was taken out of quarantine. */
  body: Uint8Array;
}

export interface DueLimits {
  frames: number;
  samples: number;
  bytes: number;
}

interface DueRow {
  epoch: string;
  lane: StreamKey["lane"];
  seg: string;
  first: string;
  last: string;
  kind: ProofKind;
  n: number;
  crc: string;
  offset_ms: number;
  received_ms: number;
  body: Uint8Array;
}

/**
 * Frames of a gateway that nobody needs in the journal any more, in the order of their streams: those with samples are
 * inside the stored latest values and marks of completeness (which replay the journal after a crash), and those with
 * late times were marked. Without a clock, or in quarantine, a frame waits.
 */
export async function findDueFrames(tx: SQL, gatewayNo: number, limits: DueLimits): Promise<DueFrame[]> {
  const rows: DueRow[] = await tx`
    WITH due AS (
      SELECT j.epoch, j.lane, j.seg, j.first, j.last, j.kind, j.n, j.crc, j.offset_ms, j.received_at, j.body,
        CASE WHEN j.kind IN ('data', 'rollup') THEN j.n ELSE 0 END AS held
      FROM journal j
      JOIN uplink_stream s USING (gateway_no, epoch, lane, seg)
      LEFT JOIN coverage_position p USING (gateway_no, epoch, lane, seg)
      WHERE j.gateway_no = ${gatewayNo} AND NOT j.clock_none AND CASE
        WHEN j.kind IN ('data', 'rollup') THEN j.last <= s.latest_seq AND j.last <= p.seq AND (j.offset_ms = 0
          OR EXISTS (SELECT 1 FROM coverage_boot c WHERE c.gateway_no = j.gateway_no AND c.boot_no = j.boot_no))
        WHEN j.kind = 'quarantined' THEN NOT EXISTS (SELECT 1 FROM ingest_quarantine q
          WHERE q.gateway_no = j.gateway_no AND q.epoch = j.epoch AND q.lane = j.lane AND q.seg = j.seg
            AND q.first = j.first)
        ELSE true END
      ORDER BY j.epoch, j.lane, j.seg, j.first LIMIT ${limits.frames}
    ), counted AS (
      SELECT *, sum(held) OVER w - held AS samples_before,
        sum(octet_length(body)) OVER w - octet_length(body) AS bytes_before
      FROM due WINDOW w AS (ORDER BY epoch, lane, seg, first ROWS UNBOUNDED PRECEDING)
    )
    SELECT epoch::text, lane, seg::text, first::text, last::text, kind, n, crc::text, offset_ms,
      (extract(epoch FROM received_at) * 1000)::float8 AS received_ms,
      CASE WHEN kind IN ('data', 'rollup') THEN body ELSE ''::bytea END AS body
    FROM counted WHERE samples_before < ${limits.samples} AND bytes_before < ${limits.bytes}
    ORDER BY counted.epoch, counted.lane, counted.seg, counted.first`;
  return rows.map((row) => ({
    epoch: Number(row.epoch),
    lane: row.lane,
    seg: Number(row.seg),
    first: Number(row.first),
    last: Number(row.last),
    kind: row.kind,
    n: row.n,
    crc: Number(row.crc),
    offsetMs: row.offset_ms,
    receivedMs: row.received_ms,
    body: row.body,
  }));
}

/** Rows and bytes of one statement. */
const INSERT_BYTES_MAX = 8 * 1024 * 1024;
const INSERT_ROWS_MAX = 5_000;

/** Appends rows; the order of their numbers is the order given. */
export async function insertMinutes(tx: SQL, blocks: readonly GroupBlock[], at: Date): Promise<void> {
  for (const { rows, packed } of packRows(blocks)) {
    const meta = rows.map(({ row, o }, i) => ({
      i,
      o,
      len: row.body.length,
      g: row.groupNo,
      h: row.hourNo,
      n: row.n,
      a: row.tMin,
      b: row.tMax,
    }));
    await tx`
      INSERT INTO history_minutes (group_no, hour_no, n, t_min, t_max, at, body)
      SELECT g, h, n, a, b, ${at}::timestamptz, substring(${packed}::bytea FROM o FOR len)
      FROM jsonb_to_recordset(${JSON.stringify(meta)}::text::jsonb)
        AS x(i int, o int, len int, g int, h int, n int, a float8, b float8)
      ORDER BY i`;
  }
}

/** Cuts rows into portions of one statement, with the bodies of each behind one another. `o` counts from 1. */
export function* packRows<T extends { body: Uint8Array }>(
  all: readonly T[],
): Generator<{ rows: { row: T; o: number }[]; packed: Uint8Array }> {
  for (let from = 0; from < all.length; ) {
    let bytes = 0;
    let to = from;
    while (to < all.length && to - from < INSERT_ROWS_MAX && (to === from || bytes < INSERT_BYTES_MAX))
      bytes += all[to++]!.body.length;
    const packed = new Uint8Array(bytes);
    let o = 0;
    const rows = all.slice(from, to).map((row) => {
      packed.set(row.body, o);
      o += row.body.length;
      return { row, o: o - row.body.length + 1 };
    });
    yield { rows, packed };
    from = to;
  }
}

export interface StrayBlock {
  reason: StrayReason;
  n: number;
  body: Uint8Array;
}

export async function insertStrays(
  tx: SQL,
  gatewayNo: number,
  strays: readonly StrayBlock[],
  at: Date,
): Promise<void> {
  for (const { reason, n, body } of strays)
    await tx`
      INSERT INTO history_stray (gateway_no, reason, n, at, body)
      VALUES (${gatewayNo}, ${reason}, ${n}, ${at}, ${body})`;
}

/** @returns how many rows went */
export async function deleteFrames(tx: SQL, gatewayNo: number, frames: readonly DueFrame[]): Promise<number> {
  const keys = JSON.stringify(frames.map(({ epoch, lane, seg, first }) => ({ epoch, lane, seg, first })));
  const rows: { n: number }[] = await tx`
    WITH gone AS (
      DELETE FROM journal j USING jsonb_to_recordset(${keys}::text::jsonb)
        AS x(epoch bigint, lane text, seg bigint, first bigint)
      WHERE j.gateway_no = ${gatewayNo} AND j.epoch = x.epoch AND j.lane = x.lane AND j.seg = x.seg
        AND j.first = x.first
      RETURNING 1
    ) SELECT count(*)::int AS n FROM gone`;
  return rows[0]?.n ?? 0;
}

/** Keeps frames whose stored bytes cannot be read as quarantined ones, so that a person sees them and nothing waits. */
export async function holdDamaged(
  tx: SQL,
  gatewayNo: number,
  damaged: readonly { frame: DueFrame; code: string; reason: string }[],
): Promise<void> {
  for (const { frame, code, reason } of damaged) {
    const { epoch, lane, seg, first } = frame;
    await tx`
      WITH held AS (
        INSERT INTO ingest_quarantine (gateway_no, epoch, lane, seg, first, last, code, reason, received_at, body)
        SELECT gateway_no, epoch, lane, seg, first, last, ${code}, ${reason}, received_at, body FROM journal
        WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch} AND lane = ${lane} AND seg = ${seg}
          AND first = ${first}::bigint
        RETURNING gateway_no, epoch, lane, seg, first
      )
      UPDATE journal j SET kind = 'quarantined', body = ''::bytea FROM held h
      WHERE j.gateway_no = h.gateway_no AND j.epoch = h.epoch AND j.lane = h.lane AND j.seg = h.seg
        AND j.first = h.first`;
  }
}

export interface WriterRow {
  tagNo: number;
  classNo: number;
}

/** Of the tags, those this gateway wrote at any time, with their class; a class nobody knows counts as the first. */
export async function findWriters(
  tx: SQL,
  gatewayNo: number,
  tagNos: readonly number[],
): Promise<WriterRow[]> {
  const rows: { tag_no: string; class_no: number }[] = await tx`
    SELECT w.tag_no::text, coalesce(c.class_no, 1)::int AS class_no
    FROM tag_writer w LEFT JOIN tag t ON t.tag_no = w.tag_no LEFT JOIN retention_class c ON c.name = t.retention
    WHERE w.tag_no = ANY(${intArray(tagNos)}::text::bigint[]) AND w.gateway_no = ${gatewayNo}`;
  return rows.map((row) => ({ tagNo: Number(row.tag_no), classNo: row.class_no }));
}

/** Days that samples of each class are kept; null for ever. */
export async function findRawDays(tx: SQL): Promise<Map<number, number | null>> {
  const rows: { class_no: number; raw_days: number | null }[] = await tx`
    SELECT class_no::int, raw_days FROM retention_class`;
  return new Map(rows.map((row) => [row.class_no, row.raw_days]));
}
