import type { EventRow } from "@millrace/contract/api/event";
import type { Reach } from "@millrace/contract/api/role";
import type { SQL } from "bun";
import { PAGE_ROWS, pageOf } from "../../http/page.ts";
import { numberCursor, rangeMs } from "../instant.ts";
import { mapEvent } from "./map.ts";
import { findEvents } from "./store.ts";

export interface EventsQuery {
  gateway?: string;
  from?: string;
  to?: string;
  /** One code, or several with commas between. */
  code?: string;
  cursor?: string;
  limit?: number;
}

/**
 * What gateways told about themselves, newest first.
 * @throws AppError `request.invalid`
 */
export async function eventsPage(
  deps: { sql: SQL },
  query: EventsQuery,
  reach: Reach,
): Promise<{ items: EventRow[]; nextCursor: string | null }> {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const rows = await findEvents(deps.sql, {
    ...rangeMs(query),
    reach,
    gatewayId: query.gateway ?? null,
    codes: query.code?.split(",") ?? [],
    before: numberCursor(query.cursor, 6),
    limit: limit + 1,
  });
  return pageOf(rows, limit, mapEvent, ({ atMs, gatewayNo, epoch, seg, seq, position }) => [
    atMs,
    gatewayNo,
    epoch,
    seg,
    seq,
    position,
  ]);
}
