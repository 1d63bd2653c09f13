import { BusAnswer, type BusQuery } from "@millrace/contract/api/bus";
import type { HubClient } from "../../../hub/client.ts";

/** The gateway is asked now and has its own limit; the hub's word on that comes first. */
const TIMEOUT_MS = 15_000;

/** What a gateway's bus doctor says now. @throws HubFault */
export function readBus(
  hub: Pick<HubClient, "call">,
  gatewayId: string,
  { window = "quarter", deviceId }: BusQuery,
): Promise<BusAnswer> {
  const search = new URLSearchParams({ window, ...(deviceId === undefined ? {} : { deviceId }) });
  const path = `/api/v1/gateways/${encodeURIComponent(gatewayId)}/bus?${search}`;
  return hub.call({ method: "GET", path, schema: BusAnswer, timeoutMs: TIMEOUT_MS });
}
