import { eq } from "drizzle-orm";
import type { DbOrTx } from "../../db/client.ts";
import { gateway } from "../../db/schema/gateway.ts";

export async function hasGateway(db: DbOrTx, gatewayId: string): Promise<true | null> {
  const rows = await db.select({ id: gateway.id }).from(gateway).where(eq(gateway.id, gatewayId));
  return rows.length > 0 ? true : null;
}
