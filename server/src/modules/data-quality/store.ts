import type { Reach } from "@millrace/contract/api/role";
import type { ClockQualityName } from "@millrace/contract/vocabulary/gateway";
import type { Interpolation } from "@millrace/contract/vocabulary/tag";
import type { Static } from "@sinclair/typebox";
import type { SQL } from "bun";
import { reachText } from "../../db/reach.ts";
import { DAY_MS, HOUR_MS } from "../../historian/slot.ts";
import type { CountedTag } from "../completeness/account.ts";
import type { TagFigures } from "./score.ts";

/** Numbers or ids as one parameter. */
const listOf = (values: Iterable<number | string>): string => `{${[...values].join(",")}}`;
const NOBODY = "00000000-0000-0000-0000-000000000000";

export interface JudgedDevice {
  id: string;
  name: string;
  path: string;
  enabled: boolean;
  gatewayId: string;
  gatewayNo: number;
  tagCount: number;
}

export interface DeviceFilter {
  deviceId: string | null;
  gatewayId: string | null;
  reach: Reach;
  afterPath: string | null;
  limit: number;
}

/** Devices by path, with how many tags they have. */
export async function listJudged(sql: SQL, filter: DeviceFilter): Promise<JudgedDevice[]> {
  const { deviceId, gatewayId, afterPath, limit } = filter;
  const rows: (Omit<JudgedDevice, "tagCount"> & { tagCount: string })[] = await sql`
    SELECT d.id, d.name, d.path, d.enabled, g.id AS "gatewayId", g.gateway_no AS "gatewayNo",
      (SELECT count(*)::text FROM tag t WHERE t.device_id = d.id AND t.removed_at IS NULL) AS "tagCount"
    FROM device d JOIN gateway g ON g.id = d.gateway_id
    WHERE (${deviceId === null} OR d.id = ${deviceId ?? NOBODY}::uuid)
      AND (${gatewayId === null} OR d.gateway_id = ${gatewayId ?? NOBODY}::uuid)
      AND (${afterPath === null} OR d.path > ${afterPath ?? ""})
      AND in_reach(d.path, ${reachText(filter.reach)}::text::jsonb)
    ORDER BY d.path LIMIT ${limit}`;
  return rows.map((row) => ({ ...row, tagCount: Number(row.tagCount) }));
}

export interface JudgedGateway {
  id: string;
  name: string;
  gatewayNo: number;
  clock: Static<typeof ClockQualityName> | null;
  clockOffsetMs: number | null;
  /** Devices that are switched on, and their tags. */
  deviceCount: number;
  tagCount: number;
}

/** Null when there is no such gateway. */
export async function findJudgedGateway(sql: SQL, id: string): Promise<JudgedGateway | null> {
  const rows: (Omit<JudgedGateway, "deviceCount" | "tagCount"> &
    Record<"deviceCount" | "tagCount", string>)[] = await sql`
    SELECT g.id, g.name, g.gateway_no AS "gatewayNo", g.health->>'clockQuality' AS clock,
      (g.health->>'clockOffsetMs')::float8 AS "clockOffsetMs",
      (SELECT count(*)::text FROM device d WHERE d.gateway_id = g.id AND d.enabled) AS "deviceCount",
      (SELECT count(*)::text FROM tag t JOIN device d ON d.id = t.device_id
        WHERE d.gateway_id = g.id AND d.enabled AND t.removed_at IS NULL) AS "tagCount"
    FROM gateway g WHERE g.id = ${id}::uuid`;
  const row = rows[0];
  return row ? { ...row, deviceCount: Number(row.deviceCount), tagCount: Number(row.tagCount) } : null;
}

/** A tag as far as its quality needs it. */
export interface JudgedTag extends CountedTag {
  deviceId: string;
  interpolation: Interpolation;
  deadband: number;
}

/** Tags of some devices, or of all that are switched on at a gateway, in the order of their numbers; those removed since `fromMs` too. */
export async function findJudgedTags(
  sql: SQL,
  of: { deviceIds: readonly string[] } | { gatewayId: string },
  fromMs: number,
): Promise<JudgedTag[]> {
  const ids = "deviceIds" in of ? of.deviceIds : null;
  const gatewayId = "gatewayId" in of ? of.gatewayId : null;
  const rows: (Omit<JudgedTag, "tagNo"> & { tag_no: string })[] = await sql`
    SELECT t.tag_no::text, t.device_id AS "deviceId", t.interpolation, t.deadband,
      (extract(epoch FROM coalesce(c.since, now())) * 1000)::float8 AS "sinceMs",
      (extract(epoch FROM t.removed_at) * 1000)::float8 AS "untilMs", t.heartbeat_ms AS "heartbeatMs",
      t.scan_ms AS "scanMs", d.enabled
    FROM tag t JOIN device d ON d.id = t.device_id LEFT JOIN coverage_tag c ON c.tag_no = t.tag_no
    WHERE (${ids === null} OR d.id = ANY(${listOf(ids ?? [])}::text::uuid[]))
      AND (${gatewayId === null} OR (d.gateway_id = ${gatewayId ?? NOBODY}::uuid AND d.enabled))
      AND (t.removed_at IS NULL OR t.removed_at > ${new Date(fromMs)}::timestamptz)
    ORDER BY t.tag_no`;
  return rows.map(({ tag_no, ...row }) => ({ ...row, tagNo: Number(tag_no) }));
}

type FigureRow = Record<"tag_no" | "usable" | "uncertain" | "bad", string> &
  Record<"min" | "max", number | null> & { from_ms: number; to_ms: number };

/** A figure with where it stands, so that several of one tag can be put together. */
export type PlacedFigures = TagFigures & { tagNo: number; fromMs: number; toMs: number };

const placed = (row: FigureRow): PlacedFigures => ({
  tagNo: Number(row.tag_no),
  usable: Number(row.usable),
  uncertain: Number(row.uncertain),
  bad: Number(row.bad),
  min: row.min,
  max: row.max,
  fromMs: row.from_ms,
  toMs: row.to_ms,
  spanMs: row.to_ms - row.from_ms,
});

/** Figures of closed hours in [fromMs, toMs), added up by tag. */
export async function sumHours(
  sql: SQL,
  tagNos: readonly number[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<PlacedFigures[]> {
  if (tagNos.length === 0 || fromMs >= toMs) return [];
  const rows: FigureRow[] = await sql`
    SELECT tag_no::text, sum(n)::text AS usable, sum(uncertain)::text AS uncertain, sum(bad)::text AS bad,
      min(min) AS min, max(max) AS max, (extract(epoch FROM min(hour)) * 1000)::float8 AS from_ms,
      (extract(epoch FROM max(hour)) * 1000)::float8 + ${HOUR_MS}::float8 AS to_ms
    FROM rollup_hour
    WHERE tag_no = ANY(${listOf(tagNos)}::text::bigint[]) AND hour >= ${new Date(fromMs)}::timestamptz
      AND hour < ${new Date(toMs)}::timestamptz
    GROUP BY rollup_hour.tag_no`;
  return rows.map(placed);
}

/** Figures of closed days, `dayFrom` to `dayTo`, both included, by tag and day. Their samples stay where they are. */
export async function sumDays(
  sql: SQL,
  tagNos: readonly number[],
  dayFrom: number,
  dayTo: number,
): Promise<(PlacedFigures & { dayNo: number })[]> {
  if (tagNos.length === 0 || dayFrom > dayTo) return [];
  const rows: (FigureRow & { day_no: number })[] = await sql`
    SELECT tag_no::text, day_no, sum(n - bad)::text AS usable, sum(uncertain)::text AS uncertain, sum(bad)::text AS bad,
      min(v_min) AS min, max(v_max) AS max, day_no * ${DAY_MS}::float8 AS from_ms,
      (day_no + 1) * ${DAY_MS}::float8 AS to_ms
    FROM history
    WHERE tag_no = ANY(${listOf(tagNos)}::text::bigint[]) AND day_no BETWEEN ${dayFrom}::int AND ${dayTo}::int
    GROUP BY history.tag_no, day_no`;
  return rows.map((row) => ({ ...placed(row), dayNo: row.day_no }));
}

/** Samples a gateway lost, by gaps that touch [fromMs, toMs), and those of frames in quarantine. */
export async function sumLost(
  sql: SQL,
  gatewayNo: number,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<{ lost: number; quarantined: number }> {
  const rows: { lost: string; quarantined: string }[] = await sql`
    SELECT
      (SELECT coalesce(sum(n), 0)::text FROM gap WHERE gateway_no = ${gatewayNo} AND cause <> 'thinned'
        AND t_max >= ${fromMs}::float8 AND t_min < ${toMs}::float8) AS lost,
      (SELECT coalesce(sum(j.n), 0)::text FROM ingest_quarantine q JOIN journal j USING (gateway_no, epoch, lane, seg, first)
        WHERE q.gateway_no = ${gatewayNo} AND j.t_max >= ${fromMs}::float8 AND j.t_min < ${toMs}::float8) AS quarantined`;
  return { lost: Number(rows[0]!.lost), quarantined: Number(rows[0]!.quarantined) };
}
