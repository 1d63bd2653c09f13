import type { LogQuery, LogRow } from "@millrace/contract/api/log";
import type { Reach } from "@millrace/contract/api/role";
import { isAtLeast, LOG_LEVELS } from "@millrace/contract/vocabulary/log";
import type { SQL } from "bun";
import { PAGE_ROWS, pageOf } from "../../http/page.ts";
import { numberCursor, rangeMs } from "../instant.ts";
import { mapLog } from "./map.ts";
import { findLogs } from "./store.ts";

/**
 * Records of the gateways' logs, newest first.
 * @throws AppError `request.invalid`
 */
export async function logsPage(
  deps: { sql: SQL },
  query: LogQuery,
  reach: Reach,
): Promise<{ items: LogRow[]; nextCursor: string | null }> {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const rows = await findLogs(deps.sql, {
    ...rangeMs(query),
    reach,
    gatewayId: query.gatewayId ?? null,
    levels: LOG_LEVELS.filter((level) => isAtLeast(level, query.level ?? "debug")),
    text: query.q ?? null,
    before: numberCursor(query.cursor, 6),
    limit: limit + 1,
  });
  return pageOf(rows, limit, mapLog, ({ atMs, gatewayNo, epoch, seg, seq, position }) => [
    atMs,
    gatewayNo,
    epoch,
    seg,
    seq,
    position,
  ]);
}
