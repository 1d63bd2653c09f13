import type { PeerCertificate } from "@millrace/contract/vocabulary/certificate";
import { and, desc, eq, inArray, isNull, sql } from "drizzle-orm";
import type { Db, DbOrTx, Tx } from "../../db/client.ts";
import { device } from "../../db/schema/device.ts";
import { gateway } from "../../db/schema/gateway.ts";
import { machineCertificate } from "../../db/schema/machine-certificate.ts";
import { profile } from "../../db/schema/profile.ts";

export type CertificateRow = typeof machineCertificate.$inferSelect;

export async function upsertMet(
  db: Db,
  gatewayId: string,
  met: readonly PeerCertificate[],
  at: Date,
): Promise<void> {
  const rows = met.map((certificate) => ({
    id: Bun.randomUUIDv7(),
    gatewayId,
    endpoint: certificate.endpoint,
    fingerprint: certificate.fingerprint,
    certificate,
    firstSeenAt: at,
    lastSeenAt: at,
  }));
  await db
    .insert(machineCertificate)
    .values(rows)
    .onConflictDoUpdate({
      target: [machineCertificate.gatewayId, machineCertificate.endpoint, machineCertificate.fingerprint],
      set: { lastSeenAt: at, certificate: sql`excluded.certificate` },
    });
}

/** Those nobody decided about go first, the longest unseen of them. */
export async function dropOldest(db: Db, gatewayId: string, kept: number): Promise<void> {
  const oldest = db
    .select({ id: machineCertificate.id })
    .from(machineCertificate)
    .where(and(eq(machineCertificate.gatewayId, gatewayId), isNull(machineCertificate.decision)))
    .orderBy(desc(machineCertificate.lastSeenAt))
    .offset(kept);
  await db.delete(machineCertificate).where(inArray(machineCertificate.id, oldest));
}

export async function listCertificates(
  db: DbOrTx,
  gatewayId: string,
  limit: number,
): Promise<CertificateRow[]> {
  return await db
    .select()
    .from(machineCertificate)
    .where(eq(machineCertificate.gatewayId, gatewayId))
    .orderBy(desc(machineCertificate.lastSeenAt), desc(machineCertificate.id))
    .limit(limit);
}

export async function findCertificate(
  db: DbOrTx,
  gatewayId: string,
  id: string,
): Promise<CertificateRow | null> {
  const rows = await db
    .select()
    .from(machineCertificate)
    .where(and(eq(machineCertificate.gatewayId, gatewayId), eq(machineCertificate.id, id)));
  return rows[0] ?? null;
}

export async function saveDecision(
  tx: Tx,
  id: string,
  decided: Pick<CertificateRow, "decision" | "decidedBy" | "decidedAt">,
): Promise<void> {
  await tx.update(machineCertificate).set(decided).where(eq(machineCertificate.id, id));
}

/** A gateway's devices with what decides on their trust, in the order of their paths. */
export async function findTrusting(db: DbOrTx, gatewayId: string) {
  return await db
    .select({
      id: device.id,
      path: device.path,
      own: device.settings,
      driver: profile.driver,
      profileName: profile.name,
      inherited: profile.settings,
    })
    .from(device)
    .innerJoin(profile, eq(profile.id, device.profileId))
    .where(eq(device.gatewayId, gatewayId))
    .orderBy(device.path);
}

/** What each device showed in the gateway's last report, by device. */
export async function findShown(db: DbOrTx, gatewayId: string): Promise<Map<string, PeerCertificate>> {
  const rows = await db.select({ health: gateway.health }).from(gateway).where(eq(gateway.id, gatewayId));
  const devices = rows[0]?.health?.devices ?? [];
  return new Map(
    devices.flatMap(({ deviceId, certificate }) =>
      certificate === undefined ? [] : [[deviceId, certificate] as const],
    ),
  );
}
