import type { GapCause } from "@millrace/contract/wire/gap";
import type { SQL } from "bun";
import type { CountedTag, KnownStretch } from "./account.ts";

export type Scope = { gatewayId: string } | { deviceId: string } | { tagNo: number };

export interface ScopeGateway {
  gatewayId: string;
  gatewayNo: number;
  /** Of the thing the scope names. */
  path: string;
  /** From the last health report, ms UTC. */
  oldestUnsentMs: number | null;
}

/** The gateway a scope belongs to; null when there is no such thing. */
export async function findScopeGateway(sql: SQL, scope: Scope): Promise<ScopeGateway | null> {
  const { gatewayId = null, deviceId = null, tagNo = null } = named(scope);
  const rows: { id: string; gateway_no: number; path: string; oldest_unsent_ms: number | null }[] = await sql`
    SELECT g.id, g.gateway_no,
      coalesce((SELECT t.path FROM tag t WHERE t.tag_no = ${tagNo}::bigint),
        (SELECT d.path FROM device d WHERE d.id = ${deviceId}::uuid), s.path) AS path,
      (g.health->'outbox'->>'oldestUnsentMs')::float8 AS oldest_unsent_ms
    FROM gateway g JOIN site s ON s.id = g.site_id WHERE g.id = coalesce(${gatewayId}::uuid,
      (SELECT d.gateway_id FROM device d WHERE d.id = coalesce(${deviceId}::uuid,
        (SELECT t.device_id FROM tag t WHERE t.tag_no = ${tagNo}::bigint))))`;
  const row = rows[0];
  return row
    ? { gatewayId: row.id, gatewayNo: row.gateway_no, path: row.path, oldestUnsentMs: row.oldest_unsent_ms }
    : null;
}

const named = (scope: Scope): { gatewayId?: string; deviceId?: string; tagNo?: number } => scope;

/** Tags of a scope by number, with those removed after `fromMs`. */
export async function findCountedTags(sql: SQL, scope: Scope, fromMs: number): Promise<CountedTag[]> {
  const { gatewayId = null, deviceId = null, tagNo = null } = named(scope);
  const rows: {
    tag_no: string;
    since_ms: number;
    until_ms: number | null;
    heartbeat_ms: number;
    scan_ms: number;
    enabled: boolean;
  }[] = await sql`
    SELECT t.tag_no::text, (extract(epoch FROM coalesce(c.since, now())) * 1000)::float8 AS since_ms,
      (extract(epoch FROM t.removed_at) * 1000)::float8 AS until_ms, t.heartbeat_ms, t.scan_ms, d.enabled
    FROM tag t JOIN device d ON d.id = t.device_id LEFT JOIN coverage_tag c ON c.tag_no = t.tag_no
    WHERE (${gatewayId}::uuid IS NULL OR d.gateway_id = ${gatewayId}::uuid)
      AND (${deviceId}::uuid IS NULL OR d.id = ${deviceId}::uuid)
      AND (${tagNo}::bigint IS NULL OR t.tag_no = ${tagNo}::bigint)
      AND (t.removed_at IS NULL OR t.removed_at > ${new Date(fromMs)}::timestamptz)
    ORDER BY t.tag_no`;
  return rows.map((row) => ({
    tagNo: Number(row.tag_no),
    sinceMs: row.since_ms,
    untilMs: row.until_ms,
    heartbeatMs: row.heartbeat_ms,
    scanMs: row.scan_ms,
    enabled: row.enabled,
  }));
}

/** Stored days [fromDayNo, toDayNo] of one block, whichever gateway sent them: a tag may have moved. */
export async function findDays(
  sql: SQL,
  blockNo: number,
  fromDayNo: number,
  toDayNo: number,
): Promise<{ dayNo: number; body: Uint8Array }[]> {
  const rows: { day_no: number; body: Uint8Array }[] = await sql`
    SELECT day_no, body FROM coverage_block
    WHERE block_no = ${blockNo} AND day_no BETWEEN ${fromDayNo} AND ${toDayNo}`;
  return rows.map((row) => ({ dayNo: row.day_no, body: row.body }));
}

/** Gaps read at most, the newest; before them minutes lose their cause, not their count. */
const GAPS_MAX = 20_000;
/** A frame holds samples of about the last second before it was sealed. */
const SEALED_MS = 2_000;

/** What a gateway lost or thinned in [fromMs, toMs), and what lies in the hub's quarantine. */
export async function findKnown(
  sql: SQL,
  gatewayNo: number,
  fromMs: number,
  toMs: number,
): Promise<{ gaps: (KnownStretch & { cause: GapCause })[]; thinned: KnownStretch[] }> {
  const rows: { t_min: number; t_max: number; cause: GapCause | "thinned" }[] = await sql`
    (SELECT t_min, t_max, cause FROM gap
      WHERE gateway_no = ${gatewayNo} AND t_max >= ${fromMs}::float8 AND t_min < ${toMs}::float8)
    UNION ALL
    (SELECT j.t_min - ${SEALED_MS}, j.t_max, 'quarantine' FROM ingest_quarantine q
      JOIN journal j USING (gateway_no, epoch, lane, seg, first)
      WHERE q.gateway_no = ${gatewayNo} AND j.t_max >= ${fromMs}::float8 AND j.t_min < ${toMs}::float8)
    ORDER BY t_min DESC LIMIT ${GAPS_MAX}`;
  const gaps: (KnownStretch & { cause: GapCause })[] = [];
  const thinned: KnownStretch[] = [];
  for (const { t_min, t_max, cause } of rows) {
    if (cause === "thinned") thinned.push({ fromMs: t_min, toMs: t_max });
    else gaps.push({ fromMs: t_min, toMs: t_max, cause });
  }
  return { gaps, thinned };
}
