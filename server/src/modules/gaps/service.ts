import type { GapCauseName, GapRow } from "@millrace/contract/api/gap";
import type { Reach } from "@millrace/contract/api/role";
import type { SQL } from "bun";
import { PAGE_ROWS, pageOf } from "../../http/page.ts";
import { numberCursor, rangeMs } from "../instant.ts";
import { mapGap } from "./map.ts";
import { findGaps } from "./store.ts";

export interface GapsQuery {
  gateway?: string;
  tag?: number;
  from?: string;
  to?: string;
  cause?: GapCauseName;
  cursor?: string;
  limit?: number;
}

/**
 * Stretches known to be missing or thinned, the latest first.
 * @throws AppError `request.invalid`
 */
export async function gapsPage(
  deps: { sql: SQL },
  query: GapsQuery,
  reach: Reach,
): Promise<{ items: GapRow[]; nextCursor: string | null }> {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const rows = await findGaps(deps.sql, {
    ...rangeMs(query),
    reach,
    gatewayId: query.gateway ?? null,
    tagNo: query.tag ?? null,
    cause: query.cause ?? null,
    before: numberCursor(query.cursor, 6),
    limit: limit + 1,
  });
  return pageOf(rows, limit, mapGap, ({ key }) => key);
}
