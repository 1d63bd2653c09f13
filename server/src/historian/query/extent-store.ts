import type { SQL } from "bun";
import { groupOf } from "../slot.ts";
import { listOf, type Span } from "./store.ts";

/**
 * A span outside which none of the tags has a sample, told by the bounds of stored rows: nothing is decoded. Rows of
 * several tags make it wider than need be. Null when there is nothing at all.
 */
export async function findExtent(sql: SQL, tagNos: readonly number[]): Promise<Span | null> {
  const tags = listOf(tagNos);
  const groups = listOf(new Set(tagNos.map(groupOf)));
  const rows: { first: number | null; last: number | null }[] = await sql`
    WITH tags AS (SELECT unnest(${tags}::text::bigint[]) AS tag_no),
      gateways AS (SELECT DISTINCT gateway_no FROM tag_writer WHERE tag_no IN (SELECT tag_no FROM tags))
    SELECT min(first) AS first, max(last) AS last FROM (
      SELECT (SELECT t_min FROM history h WHERE h.tag_no = tags.tag_no ORDER BY day_no, t_min LIMIT 1) AS first,
        (SELECT t_max FROM history h WHERE h.tag_no = tags.tag_no ORDER BY day_no DESC, t_max DESC LIMIT 1) AS last FROM tags
      UNION ALL
      SELECT extract(epoch FROM (SELECT min(hour) FROM rollup_hour r WHERE r.tag_no = tags.tag_no))::float8 * 1000,
        extract(epoch FROM (SELECT max(hour) FROM rollup_hour r WHERE r.tag_no = tags.tag_no))::float8 * 1000 + 3600000
        FROM tags
      UNION ALL
      SELECT (SELECT t_min FROM history_hour h WHERE h.tag_no = tags.tag_no ORDER BY hour_no, t_min LIMIT 1),
        (SELECT t_max FROM history_hour h WHERE h.tag_no = tags.tag_no ORDER BY hour_no DESC, t_max DESC LIMIT 1) FROM tags
      UNION ALL
      SELECT min(t_min), max(t_max) FROM history_minutes WHERE group_no = ANY(${groups}::text::int[])
      UNION ALL
      SELECT (SELECT min(t_min) FROM journal j WHERE j.gateway_no = g.gateway_no AND kind IN ('data', 'rollup')),
        (SELECT max(t_max) FROM journal j WHERE j.gateway_no = g.gateway_no AND kind IN ('data', 'rollup')) FROM gateways g
    ) x`;
  const { first, last } = rows[0]!;
  return first === null || last === null ? null : { fromMs: first, toMs: last + 1 };
}
