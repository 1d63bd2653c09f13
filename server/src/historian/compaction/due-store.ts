import type { SQL } from "bun";
import { HISTORIAN } from "../limits.ts";
import type { WaitingGateway, WaitingGroup } from "./due.ts";

/** Gateways with frames that nobody needs in the journal any more; of each no more is counted than one step takes. */
export async function findWaitingGateways(sql: SQL): Promise<WaitingGateway[]> {
  const rows: { gateway_no: number; frames: number; samples: number; oldest_ms: number }[] = await sql`
    SELECT g.gateway_no, d.frames, d.samples, d.oldest_ms
    FROM (SELECT DISTINCT gateway_no FROM uplink_stream) g
    CROSS JOIN LATERAL (
      SELECT count(*)::int AS frames, coalesce(sum(x.held), 0)::float8 AS samples,
        (extract(epoch FROM min(x.received_at)) * 1000)::float8 AS oldest_ms
      FROM (
        SELECT j.received_at, CASE WHEN j.kind IN ('data', 'rollup') THEN j.n ELSE 0 END AS held
        FROM journal j JOIN uplink_stream s USING (gateway_no, epoch, lane, seg)
        LEFT JOIN coverage_position p USING (gateway_no, epoch, lane, seg)
        WHERE j.gateway_no = g.gateway_no AND NOT j.clock_none AND (j.kind IN ('gap', 'events')
          OR j.kind IN ('data', 'rollup') AND j.last <= s.latest_seq AND j.last <= p.seq)
        LIMIT ${HISTORIAN.journalFramesMax}
      ) x
    ) d WHERE d.frames > 0`;
  return rows.map((row) => ({
    gatewayNo: row.gateway_no,
    frames: row.frames,
    samples: row.samples,
    oldestMs: row.oldest_ms,
  }));
}

/** Groups one look plans for; the rest is found by the next. */
const GROUPS_MAX = 50_000;

interface GroupRow {
  group_no: number;
  slot: number;
  rows: number;
  samples: number;
  newest_ms: number;
}

const mapGroup = (row: GroupRow): WaitingGroup => ({
  groupNo: row.group_no,
  slot: row.slot,
  rows: row.rows,
  samples: row.samples,
  newestMs: row.newest_ms,
});

/** Groups with rows of hours before `hourNo`, oldest hour first. */
export async function findWaitingHours(sql: SQL, hourNo: number): Promise<WaitingGroup[]> {
  const rows: GroupRow[] = await sql`
    SELECT group_no, hour_no AS slot, count(*)::int AS rows, sum(n)::float8 AS samples,
      (extract(epoch FROM max(at)) * 1000)::float8 AS newest_ms
    FROM history_minutes WHERE hour_no < ${hourNo}
    GROUP BY hour_no, group_no ORDER BY hour_no, group_no LIMIT ${GROUPS_MAX}`;
  return rows.map(mapGroup);
}

/** Groups with hours of days before `dayNo`, oldest day first. */
export async function findWaitingDays(sql: SQL, dayNo: number): Promise<WaitingGroup[]> {
  const rows: GroupRow[] = await sql`
    SELECT (tag_no / ${HISTORIAN.groupTags}::bigint)::int AS group_no, hour_no / 24 AS slot, count(*)::int AS rows,
      sum(n)::float8 AS samples, (extract(epoch FROM max(closed_at)) * 1000)::float8 AS newest_ms
    FROM history_hour WHERE hour_no < ${dayNo * 24}
    GROUP BY 1, 2 ORDER BY 2, 1 LIMIT ${GROUPS_MAX}`;
  return rows.map(mapGroup);
}
