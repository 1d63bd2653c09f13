import type { LogRow } from "@millrace/contract/api/log";
import { instantOf } from "../instant.ts";
import type { StoredLog } from "./store.ts";

export const mapLog = (row: StoredLog): LogRow => ({
  gatewayId: row.gatewayId,
  gatewayName: row.gatewayName,
  time: instantOf(row.atMs),
  receivedAt: row.receivedAt.toISOString(),
  level: row.level,
  logger: row.logger,
  message: row.message,
  deviceId: row.deviceId,
  data: row.data,
});
