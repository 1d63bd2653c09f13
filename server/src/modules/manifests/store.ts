import { and, desc, eq, inArray, isNull } from "drizzle-orm";
import type { DbOrTx } from "../../db/client.ts";
import { device } from "../../db/schema/device.ts";
import { gateway } from "../../db/schema/gateway.ts";
import { manifest } from "../../db/schema/manifest.ts";
import { profile } from "../../db/schema/profile.ts";
import { site } from "../../db/schema/site.ts";
import { tag } from "../../db/schema/tag.ts";
import type { DeviceRow, GatewayRow, TagRow } from "./build.ts";

export type ManifestRow = typeof manifest.$inferSelect;

export interface LockedGateway extends GatewayRow {
  manifestHeld: number | null;
  manifestFrozen: boolean;
  sealKey: string | null;
}

/** Locks the gateway's row: manifests of one gateway are numbered one after the other. */
export async function lockGateway(tx: DbOrTx, gatewayId: string): Promise<LockedGateway | null> {
  const rows = await tx
    .select({
      id: gateway.id,
      name: gateway.name,
      manifestHeld: gateway.manifestHeld,
      manifestFrozen: gateway.manifestFrozen,
      sealKey: gateway.sealKey,
      siteId: gateway.siteId,
      sparkplug: gateway.sparkplug,
    })
    .from(gateway)
    .where(eq(gateway.id, gatewayId))
    .for("update");
  const [row] = rows;
  if (row === undefined) return null;
  const [place] = await tx.select({ name: site.name }).from(site).where(eq(site.id, row.siteId));
  return { ...row, siteName: place?.name ?? "" };
}

export async function findDevices(db: DbOrTx, gatewayId: string): Promise<DeviceRow[]> {
  return await db
    .select({
      id: device.id,
      name: device.name,
      path: device.path,
      driver: profile.driver,
      profileSettings: profile.settings,
      profileParameters: profile.parameters,
      settings: device.settings,
      parameters: device.parameters,
    })
    .from(device)
    .innerJoin(profile, eq(profile.id, device.profileId))
    .where(and(eq(device.gatewayId, gatewayId), eq(device.enabled, true)));
}

/** The present tags of devices. */
export async function findTags(db: DbOrTx, deviceIds: readonly string[]): Promise<TagRow[]> {
  if (deviceIds.length === 0) return [];
  const rows = await db
    .select()
    .from(tag)
    .where(and(inArray(tag.deviceId, [...deviceIds]), isNull(tag.removedAt)));
  return rows.map((row) => ({
    deviceId: row.deviceId,
    tagNo: row.tagNo,
    name: row.name,
    path: row.path,
    address: row.address,
    dataType: row.dataType,
    unit: row.unit,
    scanMs: row.scanMs,
    heartbeatMs: row.heartbeatMs,
    deadband: row.deadband,
    ...(row.scale ? { scale: row.scale } : {}),
    ...(row.range ? { range: row.range } : {}),
    ...(row.write ? { write: row.write } : {}),
  }));
}

/** The manifest a gateway is to run: the newest that no rollout keeps back; null before the first. */
export async function findWanted(db: DbOrTx, gatewayId: string): Promise<ManifestRow | null> {
  const rows = await db
    .select()
    .from(manifest)
    .where(and(eq(manifest.gatewayId, gatewayId), eq(manifest.released, true)))
    .orderBy(desc(manifest.rev))
    .limit(1);
  return rows[0] ?? null;
}

/** The newest manifest of a gateway, released or not; null before the first. */
export async function findNewest(db: DbOrTx, gatewayId: string): Promise<ManifestRow | null> {
  const rows = await db
    .select()
    .from(manifest)
    .where(eq(manifest.gatewayId, gatewayId))
    .orderBy(desc(manifest.rev))
    .limit(1);
  return rows[0] ?? null;
}

export async function insertManifest(tx: DbOrTx, row: typeof manifest.$inferInsert): Promise<void> {
  await tx.insert(manifest).values(row);
  if (row.released !== false)
    await tx.update(gateway).set({ manifestWanted: row.rev }).where(eq(gateway.id, row.gatewayId));
}

/** From now on the newest manifest is the wanted one, and what was said of an older one is forgotten. */
export async function releaseNewest(tx: DbOrTx, gatewayId: string): Promise<void> {
  const newest = await findNewest(tx, gatewayId);
  await tx.update(manifest).set({ released: true }).where(eq(manifest.gatewayId, gatewayId));
  await tx
    .update(gateway)
    .set({
      manifestFrozen: false,
      manifestError: null,
      ...(newest === null ? {} : { manifestWanted: newest.rev }),
    })
    .where(eq(gateway.id, gatewayId));
}

/** From now on manifests are offered to this gateway again. */
export async function clearHeld(tx: DbOrTx, gatewayId: string): Promise<void> {
  await tx.update(gateway).set({ manifestHeld: null }).where(eq(gateway.id, gatewayId));
}
