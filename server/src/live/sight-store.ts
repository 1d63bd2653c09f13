import type { Reach } from "@millrace/contract/api/role";
import { eq, inArray, or } from "drizzle-orm";
import type { DbOrTx } from "../db/client.ts";
import { inReachOf } from "../db/reach.ts";
import { device } from "../db/schema/device.ts";
import { gateway } from "../db/schema/gateway.ts";
import { site } from "../db/schema/site.ts";
import { tag } from "../db/schema/tag.ts";

/** Gateways that stand in the reach, and those that read one of these tags: without their link a value says little. */
export async function findSeenGateways(
  db: DbOrTx,
  tagNos: readonly number[],
  reach: Reach,
): Promise<ReadonlySet<string>> {
  const readers = db
    .select({ id: device.gatewayId })
    .from(tag)
    .innerJoin(device, eq(device.id, tag.deviceId))
    .where(inArray(tag.tagNo, [...tagNos]));
  const rows = await db
    .select({ id: gateway.id })
    .from(gateway)
    .innerJoin(site, eq(site.id, gateway.siteId))
    .where(or(inReachOf(site.path, reach), tagNos.length === 0 ? undefined : inArray(gateway.id, readers)));
  return new Set(rows.map(({ id }) => id));
}
