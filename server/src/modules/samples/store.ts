import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import { WIDE_SPAN_MS } from "../../ingest/apply.ts";
import { FUTURE_MS_MAX } from "../latest/cache.ts";

/** Gateway that owns a tag; null when there is no such tag. A removed tag keeps its history. */
export async function findGatewayOfTag(sql: SQL, tagNo: number): Promise<number | null> {
  const rows: { gateway_no: number }[] = await sql`
    SELECT g.gateway_no FROM tag t JOIN device d ON d.id = t.device_id JOIN gateway g ON g.id = d.gateway_id
    WHERE t.tag_no = ${tagNo}`;
  return rows[0]?.gateway_no ?? null;
}

/** Place of a frame in the order in which a window is read. */
export interface FrameCursor extends StreamKey {
  tMax: number;
  epoch: number;
  first: number;
}

export const WINDOW_START: FrameCursor = {
  tMax: Number.NEGATIVE_INFINITY,
  epoch: 0,
  lane: "E",
  seg: 0,
  first: 0,
};

export interface WindowFrame extends FrameCursor {
  body: Uint8Array;
  /** To be added to the times in the body. */
  offsetMs: number;
  /** Samples later than this, or all when nobody knows their time yet, are uncertain by their clock. */
  believedToMs: number;
}

/**
 * Frames with samples of a gateway with samples in [fromMs, toMs), a page at a time. The index on t_max is bounded at both
 * ends: a frame that is not marked wide reaches at most `WIDE_SPAN_MS` back.
 */
export async function findFrames(
  sql: SQL,
  gatewayNo: number,
  range: { fromMs: number; toMs: number },
  after: FrameCursor,
  limit: number,
): Promise<WindowFrame[]> {
  const { fromMs, toMs } = range;
  const afterMax = Math.max(after.tMax, -8.64e15);
  const rows: {
    t_max: number;
    epoch: string;
    lane: StreamKey["lane"];
    seg: string;
    first: string;
    body: Uint8Array;
    offset_ms: number;
    clock_none: boolean;
    received_at: Date;
  }[] = await sql`
    SELECT t_max, epoch::text, lane, seg::text, first::text, body, offset_ms, clock_none, received_at FROM journal
    WHERE gateway_no = ${gatewayNo} AND kind IN ('data', 'rollup')
      AND t_max >= ${fromMs}::float8 AND t_min < ${toMs}::float8
      AND ((NOT wide AND t_max < ${toMs + WIDE_SPAN_MS}::float8) OR wide)
      AND (t_max, epoch, lane, seg, first) >
        (${afterMax}::float8, ${after.epoch}::bigint, ${after.lane}::text, ${after.seg}::bigint, ${after.first}::bigint)
    ORDER BY t_max, epoch, lane, seg, first LIMIT ${limit}`;
  return rows.map((row) => ({
    tMax: row.t_max,
    epoch: Number(row.epoch),
    lane: row.lane,
    seg: Number(row.seg),
    first: Number(row.first),
    body: row.body,
    offsetMs: row.offset_ms,
    believedToMs: row.clock_none ? Number.NEGATIVE_INFINITY : row.received_at.getTime() + FUTURE_MS_MAX,
  }));
}

export interface GapRow {
  t_min: number;
  t_max: number;
  cause: string;
  n: string;
}

export async function findGaps(sql: SQL, gatewayNo: number, fromMs: number, toMs: number): Promise<GapRow[]> {
  return await sql`
    SELECT t_min, t_max, cause, n::text FROM gap
    WHERE gateway_no = ${gatewayNo} AND t_max >= ${fromMs}::float8 AND t_min < ${toMs}::float8
    ORDER BY t_min LIMIT 1000`;
}

/**
 * A time in [fromMs, toMs) before which there surely is no sample, so that an empty stretch costs one look and not a
 * walk; null when the whole range is empty.
 */
export async function findFirstFrom(
  sql: SQL,
  gatewayNo: number,
  fromMs: number,
  toMs: number,
): Promise<number | null> {
  const narrow: { t: number | null }[] = await sql`
    SELECT t_max AS t FROM journal
    WHERE gateway_no = ${gatewayNo} AND NOT wide AND t_max >= ${fromMs}::float8 ORDER BY t_max LIMIT 1`;
  const wide: { t: number | null }[] = await sql`
    SELECT min(t_min) AS t FROM journal
    WHERE gateway_no = ${gatewayNo} AND wide AND t_max >= ${fromMs}::float8 AND t_min < ${toMs}::float8`;
  const begins: number[] = [];
  if (typeof narrow[0]?.t === "number") begins.push(narrow[0].t - WIDE_SPAN_MS);
  if (typeof wide[0]?.t === "number") begins.push(wide[0].t);
  return begins.length === 0 ? null : Math.max(fromMs, Math.min(...begins));
}
