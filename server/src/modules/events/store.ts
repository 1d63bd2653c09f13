import type { EventFact } from "@millrace/contract/api/event";
import type { Reach } from "@millrace/contract/api/role";
import type { SQL } from "bun";
import { reachText } from "../../db/reach.ts";

export interface StoredEvent {
  gatewayId: string;
  gatewayName: string;
  gatewayNo: number;
  epoch: number;
  seg: number;
  seq: number;
  position: number;
  atMs: number;
  receivedAt: Date;
  code: string;
  severity: "info" | "warning" | "error";
  message: string;
  deviceId: string | null;
  data: Record<string, EventFact>;
}

export interface EventFilter {
  gatewayId: string | null;
  reach: Reach;
  fromMs: number;
  toMs: number;
  /** Empty for all. */
  codes: readonly string[];
  /** Key of the last row of the page before: time, gateway, epoch, segment, number, position. */
  before: readonly number[] | null;
  limit: number;
}

/** Events in [fromMs, toMs), newest first. */
export async function findEvents(sql: SQL, filter: EventFilter): Promise<StoredEvent[]> {
  const { gatewayId, codes, before } = filter;
  const [at, gatewayNo, epoch, seg, seq, position] = before ?? [0, 0, 0, 0, 0, 0];
  const listed = JSON.stringify(codes);
  const rows: (Omit<StoredEvent, "epoch" | "seg" | "seq"> & { epoch: string; seg: string; seq: string })[] =
    await sql`
    SELECT g.id AS "gatewayId", g.name AS "gatewayName", e.gateway_no AS "gatewayNo", e.epoch::text, e.seg::text,
      e.seq::text, e.position, e.at AS "atMs", e.received_at AS "receivedAt", e.code, e.severity, e.message,
      e.device_id AS "deviceId", e.data
    FROM gateway_event e JOIN gateway g ON g.gateway_no = e.gateway_no JOIN site s ON s.id = g.site_id
    WHERE e.at >= ${filter.fromMs}::float8 AND e.at < ${filter.toMs}::float8
      AND (${gatewayId === null} OR g.id = ${gatewayId ?? NOBODY}::uuid)
      AND in_reach(s.path, ${reachText(filter.reach)}::text::jsonb)
      AND (${codes.length === 0} OR e.code IN (SELECT jsonb_array_elements_text(${listed}::text::jsonb)))
      AND (${before === null} OR (e.at, e.gateway_no, e.epoch, e.seg, e.seq, e.position) <
        (${at}::float8, ${gatewayNo}::bigint, ${epoch}::bigint, ${seg}::bigint, ${seq}::bigint, ${position}::bigint))
    ORDER BY e.at DESC, e.gateway_no DESC, e.epoch DESC, e.seg DESC, e.seq DESC, e.position DESC
    LIMIT ${filter.limit}`;
  return rows.map((row) => ({
    ...row,
    epoch: Number(row.epoch),
    seg: Number(row.seg),
    seq: Number(row.seq),
  }));
}

/** Stands for no filter where SQL wants a value of the type. */
const NOBODY = "00000000-0000-0000-0000-000000000000";
