import type { EventRow } from "@millrace/contract/api/event";
import { instantOf } from "../instant.ts";
import type { StoredEvent } from "./store.ts";

export const mapEvent = (row: StoredEvent): EventRow => ({
  gatewayId: row.gatewayId,
  gatewayName: row.gatewayName,
  time: instantOf(row.atMs),
  receivedAt: row.receivedAt.toISOString(),
  code: row.code,
  severity: row.severity,
  message: row.message,
  deviceId: row.deviceId,
  data: row.data,
});
