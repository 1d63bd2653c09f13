import type { Reach } from "@millrace/contract/api/role";
import { and, asc, count, eq, gt, isNull, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { inReachOf } from "../../db/reach.ts";
import { device } from "../../db/schema/device.ts";
import { gateway } from "../../db/schema/gateway.ts";
import { profile } from "../../db/schema/profile.ts";
import { tag } from "../../db/schema/tag.ts";

export type DeviceRow = typeof device.$inferSelect;
export type ShownDevice = DeviceRow & { driver: string; tagCount: number; topicPrefix: string | null };

const tagCounts = (db: DbOrTx) =>
  db
    .select({ deviceId: tag.deviceId, tagCount: count().as("tag_count") })
    .from(tag)
    .where(isNull(tag.removedAt))
    .groupBy(tag.deviceId)
    .as("tag_counts");

/** As the gateway told with its last health report. */
const reportedPrefix = sql<string | null>`${gateway.health} -> 'namespace' ->> 'prefix'`;

function shown(db: DbOrTx) {
  const counts = tagCounts(db);
  return db
    .select({ device, driver: profile.driver, tagCount: counts.tagCount, topicPrefix: reportedPrefix })
    .from(device)
    .innerJoin(gateway, eq(gateway.id, device.gatewayId))
    .innerJoin(profile, eq(profile.id, device.profileId))
    .leftJoin(counts, eq(counts.deviceId, device.id));
}

type JoinedDevice = Pick<ShownDevice, "driver" | "topicPrefix"> & {
  device: DeviceRow;
  tagCount: number | null;
};

const flat = ({ device, driver, topicPrefix, tagCount }: JoinedDevice): ShownDevice => ({
  ...device,
  driver,
  topicPrefix,
  tagCount: Number(tagCount ?? 0),
});

export async function listDevices(
  db: DbOrTx,
  filter: { gatewayId?: string; reach: Reach },
  afterPath: string | null,
  limit: number,
): Promise<ShownDevice[]> {
  const rows = await shown(db)
    .where(
      and(
        filter.gatewayId === undefined ? undefined : eq(device.gatewayId, filter.gatewayId),
        afterPath === null ? undefined : gt(device.path, afterPath),
        inReachOf(device.path, filter.reach),
      ),
    )
    .orderBy(asc(device.path))
    .limit(limit);
  return rows.map(flat);
}

export async function findDevice(db: DbOrTx, id: string): Promise<ShownDevice | null> {
  const rows = await shown(db).where(eq(device.id, id));
  return rows[0] === undefined ? null : flat(rows[0]);
}

/** Held to the end of the transaction. */
export async function lockDevice(tx: Tx, id: string): Promise<DeviceRow | null> {
  const rows = await tx.select().from(device).where(eq(device.id, id)).for("update");
  return rows[0] ?? null;
}

export async function findDevicesOfProfile(tx: Tx, profileId: string): Promise<DeviceRow[]> {
  return await tx
    .select()
    .from(device)
    .where(eq(device.profileId, profileId))
    .orderBy(asc(device.id))
    .for("update");
}

export async function findProfileOf(tx: Tx, id: string) {
  const rows = await tx.select().from(profile).where(eq(profile.id, id));
  return rows[0] ?? null;
}

export async function insertDevice(tx: Tx, row: DeviceRow): Promise<void> {
  await tx.insert(device).values(row);
}

export async function updateDevice(tx: Tx, { id, ...row }: DeviceRow): Promise<void> {
  await tx.update(device).set(row).where(eq(device.id, id));
}

export async function deleteDevice(tx: Tx, id: string): Promise<void> {
  await tx.delete(device).where(eq(device.id, id));
}
