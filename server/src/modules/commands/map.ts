import type { GatewayCommand } from "@millrace/contract/api/command";
import type { ShownCommand } from "./store.ts";

/** @param nowMs the hub's time: a command that expired without an answer may have run, and nobody knows */
export const mapCommand = (row: ShownCommand, nowMs: number): GatewayCommand => ({
  id: row.id,
  gatewayId: row.gatewayId,
  commandNo: row.commandNo,
  body: row.body,
  requestedBy: row.requestedBy,
  requestedAt: row.requestedAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
  state: row.state === "sent" && nowMs >= row.expiresAt.getTime() ? "unknown" : row.state,
  answeredAt: row.answeredAt?.toISOString() ?? null,
});
