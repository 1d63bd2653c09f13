import type { GatewayHealth } from "@millrace/contract/api/gateway-health";
import type { Db } from "../../db/client.ts";
import type { SessionPort } from "../../ports.ts";
import { found } from "../change.ts";
import { mapHealth } from "./map.ts";
import { findDeviceNames, findHealth } from "./store.ts";

export interface HealthDeps {
  db: Db;
  sessions: Pick<SessionPort, "linkOf">;
}

/** Everything the hub knows of how one gateway is. @throws AppError `entity.missing` */
export async function gatewayHealth(deps: HealthDeps, id: string): Promise<GatewayHealth> {
  const row = found(await findHealth(deps.db, id), "gateway");
  return mapHealth(row, deps.sessions.linkOf(id), await findDeviceNames(deps.db, id));
}
