import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import type { SQL } from "bun";
import { and, eq } from "drizzle-orm";
import type { DbOrTx } from "../../db/client.ts";
import { device } from "../../db/schema/device.ts";
import { type EnrolmentState, gateway } from "../../db/schema/gateway.ts";
import { manifest } from "../../db/schema/manifest.ts";

export interface HealthRow {
  id: string;
  name: string;
  enrolment: EnrolmentState;
  clonedAt: Date | null;
  linkSince: Date | null;
  lastSeenAt: Date | null;
  manifestWanted: number;
  manifestRunning: number;
  manifestError: string | null;
  manifestHeld: number | null;
  /** Of the wanted manifest. */
  manifestSha256: string | null;
  health: GatewayStatus | null;
}

export async function findHealth(db: DbOrTx, gatewayId: string): Promise<HealthRow | null> {
  const rows = await db
    .select({
      id: gateway.id,
      name: gateway.name,
      enrolment: gateway.enrolment,
      clonedAt: gateway.clonedAt,
      linkSince: gateway.linkSince,
      lastSeenAt: gateway.lastSeenAt,
      manifestWanted: gateway.manifestWanted,
      manifestRunning: gateway.manifestRunning,
      manifestError: gateway.manifestError,
      manifestHeld: gateway.manifestHeld,
      manifestSha256: manifest.sha256,
      health: gateway.health,
    })
    .from(gateway)
    .leftJoin(manifest, and(eq(manifest.gatewayId, gateway.id), eq(manifest.rev, gateway.manifestWanted)))
    .where(eq(gateway.id, gatewayId));
  return rows[0] ?? null;
}

/** Names of the devices of one gateway. */
export async function findDeviceNames(db: DbOrTx, gatewayId: string): Promise<Map<string, string>> {
  const rows = await db
    .select({ id: device.id, name: device.name })
    .from(device)
    .where(eq(device.gatewayId, gatewayId));
  return new Map(rows.map(({ id, name }) => [id, name]));
}

export async function databaseVersion(sql: SQL): Promise<string> {
  const rows: { server_version: string }[] = await sql`SHOW server_version`;
  return rows[0]?.server_version ?? "";
}
