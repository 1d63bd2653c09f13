import {
  DataQuality,
  type DeviceDataQuality,
  type GatewayDataQuality,
  QUALITY_PAGE,
  type QualityWindow,
} from "@millrace/contract/api/data-quality";
import { HubFault } from "../../error/fault.ts";
import type { HubClient } from "../../hub/client.ts";

/** Pages a screen reads at most; beyond that the API is the better tool. */
export const PAGES_MAX = 20;

/** The first look at a gateway with very many tags takes the hub some seconds. */
const TIMEOUT_MS = 30_000;

export interface GatewayQuality {
  window: QualityWindow;
  gateway: GatewayDataQuality;
  devices: DeviceDataQuality[];
  /** There are devices after these. */
  more: boolean;
}

/** A device's data quality. @throws HubFault */
export async function readDeviceQuality(
  hub: Pick<HubClient, "call">,
  deviceId: string,
  window: QualityWindow,
): Promise<DeviceDataQuality> {
  const path = `/api/v1/data-quality?${new URLSearchParams({ deviceId, window })}`;
  const { items } = await hub.call({ method: "GET", path, schema: DataQuality });
  const [device] = items;
  if (device === undefined)
    throw new HubFault("web.answerUnexpected", `${path}: the device is not in the answer.`);
  return device;
}

/** A gateway's data quality with its first devices. @throws HubFault */
export async function readQuality(
  hub: Pick<HubClient, "call">,
  gatewayId: string,
  window: QualityWindow,
  pages: number,
): Promise<GatewayQuality> {
  const devices: DeviceDataQuality[] = [];
  let gateway: GatewayDataQuality | null = null;
  let cursor: string | null = null;
  for (let page = 0; page < pages; page++) {
    const search = new URLSearchParams({ gatewayId, window, limit: String(QUALITY_PAGE.standard) });
    if (cursor !== null) search.set("cursor", cursor);
    const answer: DataQuality = await hub.call({
      method: "GET",
      path: `/api/v1/data-quality?${search}`,
      schema: DataQuality,
      timeoutMs: TIMEOUT_MS,
    });
    gateway ??= answer.gateway;
    devices.push(...answer.items);
    cursor = answer.nextCursor;
    if (cursor === null) break;
  }
  if (gateway === null)
    throw new HubFault("web.answerUnexpected", "/api/v1/data-quality: the gateway is not in the answer.");
  return { window, gateway, devices, more: cursor !== null };
}
