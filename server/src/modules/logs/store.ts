import type { EventFact } from "@millrace/contract/api/event";
import type { Reach } from "@millrace/contract/api/role";
import type { LogLevel } from "@millrace/contract/vocabulary/log";
import type { SQL } from "bun";
import { reachText } from "../../db/reach.ts";

export interface StoredLog {
  gatewayId: string;
  gatewayName: string;
  gatewayNo: number;
  epoch: number;
  seg: number;
  seq: number;
  position: number;
  atMs: number;
  receivedAt: Date;
  level: LogLevel;
  logger: string;
  message: string;
  deviceId: string | null;
  data: Record<string, EventFact>;
}

export interface LogFilter {
  gatewayId: string | null;
  reach: Reach;
  fromMs: number;
  toMs: number;
  levels: readonly LogLevel[];
  /** Null for all. */
  text: string | null;
  /** Key of the last row of the page before: time, gateway, epoch, segment, number, position. */
  before: readonly number[] | null;
  limit: number;
}

/** Stands for no filter where SQL wants a value of the type. */
const NOBODY = "00000000-0000-0000-0000-000000000000";

/** What a person typed, as a pattern that means itself. */
const patternOf = (text: string): string => `%${text.replace(/[\\%_]/g, "\\$&")}%`;

/** Records in [fromMs, toMs), newest first. */
export async function findLogs(sql: SQL, filter: LogFilter): Promise<StoredLog[]> {
  const { gatewayId, before, text } = filter;
  const [at, gatewayNo, epoch, seg, seq, position] = before ?? [0, 0, 0, 0, 0, 0];
  const levels = JSON.stringify(filter.levels);
  const pattern = patternOf(text ?? "");
  const rows: (Omit<StoredLog, "epoch" | "seg" | "seq"> & { epoch: string; seg: string; seq: string })[] =
    await sql`
    SELECT g.id AS "gatewayId", g.name AS "gatewayName", l.gateway_no AS "gatewayNo", l.epoch::text, l.seg::text,
      l.seq::text, l.position, l.at AS "atMs", l.received_at AS "receivedAt", l.level, l.logger, l.message,
      l.device_id AS "deviceId", l.data
    FROM gateway_log l JOIN gateway g ON g.gateway_no = l.gateway_no JOIN site s ON s.id = g.site_id
    WHERE l.at >= ${filter.fromMs}::float8 AND l.at < ${filter.toMs}::float8
      AND (${gatewayId === null} OR g.id = ${gatewayId ?? NOBODY}::uuid)
      AND in_reach(s.path, ${reachText(filter.reach)}::text::jsonb)
      AND l.level IN (SELECT jsonb_array_elements_text(${levels}::text::jsonb))
      AND (${text === null} OR l.message ILIKE ${pattern}::text OR l.logger ILIKE ${pattern}::text)
      AND (${before === null} OR (l.at, l.gateway_no, l.epoch, l.seg, l.seq, l.position) <
        (${at}::float8, ${gatewayNo}::bigint, ${epoch}::bigint, ${seg}::bigint, ${seq}::bigint, ${position}::bigint))
    ORDER BY l.at DESC, l.gateway_no DESC, l.epoch DESC, l.seg DESC, l.seq DESC, l.position DESC
    LIMIT ${filter.limit}`;
  return rows.map((row) => ({
    ...row,
    epoch: Number(row.epoch),
    seg: Number(row.seg),
    seq: Number(row.seq),
  }));
}

/** Deletes a piece of what was received before `before`; returns how many. */
export async function deleteOlder(sql: SQL, before: Date, limit: number): Promise<number> {
  const rows: { n: number }[] = await sql`
    WITH gone AS (
      DELETE FROM gateway_log WHERE ctid IN (
        SELECT ctid FROM gateway_log WHERE received_at < ${before} ORDER BY received_at LIMIT ${limit})
      RETURNING 1
    ) SELECT count(*)::int AS n FROM gone`;
  return rows[0]?.n ?? 0;
}

/** Gateways with more rows than `rowsMax`, and by how many. */
export async function findTalkative(
  sql: SQL,
  rowsMax: number,
): Promise<{ gatewayNo: number; over: number }[]> {
  return await sql`
    SELECT gateway_no AS "gatewayNo", (count(*) - ${rowsMax}::bigint)::int AS over FROM gateway_log
    GROUP BY gateway_no HAVING count(*) > ${rowsMax}::bigint`;
}

export async function countLogs(sql: SQL): Promise<number> {
  const rows: { n: number }[] = await sql`SELECT count(*)::int AS n FROM gateway_log`;
  return rows[0]?.n ?? 0;
}

/** Deletes the first received of one gateway, or of all; returns how many. */
export async function deleteOldest(sql: SQL, gatewayNo: number | null, limit: number): Promise<number> {
  const rows: { n: number }[] = await sql`
    WITH gone AS (
      DELETE FROM gateway_log WHERE ctid IN (
        SELECT ctid FROM gateway_log WHERE (${gatewayNo === null} OR gateway_no = ${gatewayNo ?? 0}::int)
        ORDER BY received_at, at LIMIT ${limit})
      RETURNING 1
    ) SELECT count(*)::int AS n FROM gone`;
  return rows[0]?.n ?? 0;
}
