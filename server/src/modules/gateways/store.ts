import type { Reach } from "@millrace/contract/api/role";
import { and, asc, count, eq, gt, isNull, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { inReachOf } from "../../db/reach.ts";
import { device } from "../../db/schema/device.ts";
import { claim, gateway } from "../../db/schema/gateway.ts";
import { uplinkStream } from "../../db/schema/ingest.ts";
import { site } from "../../db/schema/site.ts";
import { tag } from "../../db/schema/tag.ts";

export type GatewayRow = typeof gateway.$inferSelect;
export type ShownGateway = GatewayRow & { deviceCount: number; tagCount: number; restoring: boolean };

function shown(db: DbOrTx) {
  const devices = db
    .select({ gatewayId: device.gatewayId, n: count().as("device_n") })
    .from(device)
    .groupBy(device.gatewayId)
    .as("devices");
  const tags = db
    .select({ gatewayId: device.gatewayId, n: count().as("tag_n") })
    .from(tag)
    .innerJoin(device, eq(device.id, tag.deviceId))
    .where(isNull(tag.removedAt))
    .groupBy(device.gatewayId)
    .as("tags");
  /** A restored hub that has not got back yet what a gateway knew as acknowledged. */
  const restoring = sql<boolean>`EXISTS (SELECT 1 FROM ${uplinkStream} WHERE ${uplinkStream.gatewayNo} = ${gateway.gatewayNo}
    AND NOT ${uplinkStream.fenced} AND ${uplinkStream.ackedSeen} > ${uplinkStream.last})`;
  return db
    .select({ gateway, deviceCount: devices.n, tagCount: tags.n, restoring })
    .from(gateway)
    .leftJoin(devices, eq(devices.gatewayId, gateway.id))
    .leftJoin(tags, eq(tags.gatewayId, gateway.id));
}

const flat = (row: {
  gateway: GatewayRow;
  deviceCount: number | null;
  tagCount: number | null;
  restoring: boolean;
}): ShownGateway => ({
  ...row.gateway,
  deviceCount: Number(row.deviceCount ?? 0),
  tagCount: Number(row.tagCount ?? 0),
  restoring: row.restoring,
});

/** A gateway stands where its site is. */
const standsIn = (reach: Reach) =>
  inReachOf(sql`(SELECT ${site.path} FROM ${site} WHERE ${site.id} = ${gateway.siteId})`, reach);

export async function listGateways(
  db: DbOrTx,
  afterName: string | null,
  limit: number,
  labels: readonly string[],
  reach: Reach,
): Promise<ShownGateway[]> {
  const after = afterName === null ? undefined : gt(gateway.name, afterName);
  const labelled =
    labels.length === 0 ? undefined : sql`${gateway.labels} @> ${JSON.stringify(labels)}::text::jsonb`;
  const rows = await shown(db)
    .where(and(after, labelled, standsIn(reach)))
    .orderBy(asc(gateway.name))
    .limit(limit);
  return rows.map(flat);
}

export async function findGateway(db: DbOrTx, id: string): Promise<ShownGateway | null> {
  const rows = await shown(db).where(eq(gateway.id, id));
  return rows[0] === undefined ? null : flat(rows[0]);
}

/** Held to the end of the transaction. */
export async function lockGateway(tx: Tx, id: string): Promise<GatewayRow | null> {
  const rows = await tx.select().from(gateway).where(eq(gateway.id, id)).for("update");
  return rows[0] ?? null;
}

export async function insertGateway(
  tx: Tx,
  row: { id: string; name: string; siteId: string },
): Promise<void> {
  await tx.insert(gateway).values(row);
}

export async function insertClaim(
  tx: Tx,
  row: { tokenHash: Uint8Array; gatewayId: string; expiresAt: Date },
): Promise<void> {
  await tx.insert(claim).values(row);
}

/** @param revision the one after this change */
export async function updateLabels(tx: Tx, id: string, labels: string[], revision: number): Promise<void> {
  await tx.update(gateway).set({ labels, revision }).where(eq(gateway.id, id));
}

/** The key counts no more, and neither do the tokens that were given out. */
export async function revokeGateway(tx: Tx, id: string, at: Date): Promise<void> {
  await tx.update(gateway).set({ enrolment: "revoked" }).where(eq(gateway.id, id));
  await tx.update(claim).set({ usedAt: at }).where(eq(claim.gatewayId, id));
}

/** No doubt any more: sessions are let in, and what happened before this moment is not counted again. */
export async function trustGateway(tx: Tx, id: string, at: Date): Promise<void> {
  await tx.update(gateway).set({ clonedAt: null, trustedAt: at }).where(eq(gateway.id, id));
}

const EDGE_NODE = {
  id: gateway.id,
  name: gateway.name,
  siteName: site.name,
  sparkplug: gateway.sparkplug,
  revision: gateway.revision,
};

/** What makes a gateway's names as Sparkplug edge node; of every gateway. */
export const findEdgeNodes = (db: DbOrTx) =>
  db.select(EDGE_NODE).from(gateway).innerJoin(site, eq(site.id, gateway.siteId));

export async function findEdgeNode(db: DbOrTx, id: string) {
  const [row] = await findEdgeNodes(db).where(eq(gateway.id, id));
  return row ?? null;
}

/** @param revision the one after this change */
export async function updateSparkplug(
  tx: Tx,
  id: string,
  sparkplug: Record<string, unknown> | null,
  revision: number,
): Promise<void> {
  await tx.update(gateway).set({ sparkplug, revision }).where(eq(gateway.id, id));
}
