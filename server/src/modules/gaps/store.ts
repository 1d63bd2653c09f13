import type { GapCauseName } from "@millrace/contract/api/gap";
import type { Reach } from "@millrace/contract/api/role";
import type { SQL } from "bun";
import { reachText } from "../../db/reach.ts";

/** Lanes by number, as a cursor names them. */
const LANES = ["E", "H", "L"];

export interface StoredGap {
  gatewayId: string;
  gatewayName: string;
  fromMs: number;
  toMs: number;
  cause: GapCauseName;
  samples: number;
  /** Place in the list: end, gateway, epoch, lane, segment, first number. */
  key: number[];
}

export interface GapFilter {
  gatewayId: string | null;
  reach: Reach;
  tagNo: number | null;
  fromMs: number;
  toMs: number;
  cause: GapCauseName | null;
  /** Key of the last row of the page before. */
  before: readonly number[] | null;
  limit: number;
}

/** Gaps that touch [fromMs, toMs), the latest first. A tag's gaps are those of its gateway. */
export async function findGaps(sql: SQL, filter: GapFilter): Promise<StoredGap[]> {
  const { gatewayId, tagNo, cause, before } = filter;
  const [tMax, gatewayNo, epoch, lane, seg, first] = before ?? [0, 0, 0, 0, 0, 0];
  const rows: {
    id: string;
    name: string;
    gateway_no: number;
    epoch: string;
    lane: string;
    seg: string;
    first: string;
    t_min: number;
    t_max: number;
    cause: GapCauseName;
    n: string;
  }[] = await sql`
    SELECT g.id, g.name, p.gateway_no, p.epoch::text, p.lane, p.seg::text, p.first::text, p.t_min, p.t_max, p.cause,
      p.n::text
    FROM gap p JOIN gateway g ON g.gateway_no = p.gateway_no JOIN site s ON s.id = g.site_id
    WHERE p.t_max >= ${filter.fromMs}::float8 AND p.t_min < ${filter.toMs}::float8
      AND (${gatewayId === null} OR g.id = ${gatewayId ?? "00000000-0000-0000-0000-000000000000"}::uuid)
      AND in_reach(s.path, ${reachText(filter.reach)}::text::jsonb)
      AND (${tagNo === null} OR g.id = (SELECT d.gateway_id FROM tag t JOIN device d ON d.id = t.device_id
        WHERE t.tag_no = ${tagNo ?? 0}::bigint))
      AND (${cause === null} OR p.cause = ${cause ?? ""})
      AND (${before === null} OR (p.t_max, p.gateway_no, p.epoch, p.lane, p.seg, p.first) <
        (${tMax}::float8, ${gatewayNo}::bigint, ${epoch}::bigint, ${LANES[lane ?? 0] ?? ""}::text, ${seg}::bigint,
        ${first}::bigint))
    ORDER BY p.t_max DESC, p.gateway_no DESC, p.epoch DESC, p.lane DESC, p.seg DESC, p.first DESC
    LIMIT ${filter.limit}`;
  return rows.map((row) => ({
    gatewayId: row.id,
    gatewayName: row.name,
    fromMs: row.t_min,
    toMs: row.t_max,
    cause: row.cause,
    samples: Number(row.n),
    key: [
      row.t_max,
      row.gateway_no,
      Number(row.epoch),
      LANES.indexOf(row.lane),
      Number(row.seg),
      Number(row.first),
    ],
  }));
}
