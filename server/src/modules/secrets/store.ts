import { and, eq, inArray, notInArray, or, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { device } from "../../db/schema/device.ts";
import { gateway } from "../../db/schema/gateway.ts";
import { profile } from "../../db/schema/profile.ts";
import { sealedSecret, secret } from "../../db/schema/secret.ts";
import type { Root, Settings } from "./reference.ts";
import type { StoredSecret } from "./vault.ts";

/** Rows in one statement. */
const ROWS_AT_ONCE = 5_000;

export async function findSecrets(db: DbOrTx, ids: readonly string[]): Promise<Map<string, StoredSecret>> {
  const found = new Map<string, StoredSecret>();
  for (let i = 0; i < ids.length; i += ROWS_AT_ONCE) {
    const some = ids.slice(i, i + ROWS_AT_ONCE);
    for (const row of await db.select().from(secret).where(inArray(secret.id, some))) found.set(row.id, row);
  }
  return found;
}

export async function insertSecrets(tx: Tx, rows: readonly StoredSecret[], createdAt: Date): Promise<void> {
  for (let i = 0; i < rows.length; i += ROWS_AT_ONCE) {
    const some = rows.slice(i, i + ROWS_AT_ONCE).map((row) => ({ ...row, createdAt }));
    await tx.insert(secret).values(some);
  }
}

/** Takes away what was typed into a draft, but for those it still names. */
export async function deleteDraftSecrets(tx: Tx, draftId: string, kept: readonly string[]): Promise<void> {
  await tx
    .delete(secret)
    .where(
      and(
        eq(secret.ownerKind, "draft"),
        eq(secret.ownerId, draftId),
        kept.length === 0 ? undefined : notInArray(secret.id, [...kept]),
      ),
    );
}

/** Who has a name now, and the settings of its row. */
export async function findOwner(
  db: DbOrTx,
  root: Root,
  name: string,
): Promise<{ id: string; settings: Settings } | null> {
  switch (root) {
    case "devices": {
      const { id, settings, path } = device;
      return (await db.select({ id, settings }).from(device).where(eq(path, name)))[0] ?? null;
    }
    case "profiles": {
      const { id, settings } = profile;
      return (await db.select({ id, settings }).from(profile).where(eq(profile.name, name)))[0] ?? null;
    }
    case "gateways": {
      const { id, sparkplug } = gateway;
      const [row] = await db.select({ id, sparkplug }).from(gateway).where(eq(gateway.name, name));
      return row === undefined ? null : { id: row.id, settings: row.sparkplug ?? {} };
    }
  }
}

/** The driver of a kind of machine, by its name. */
export async function findDriver(db: DbOrTx, profileName: string): Promise<string | null> {
  const rows = await db.select({ driver: profile.driver }).from(profile).where(eq(profile.name, profileName));
  return rows[0]?.driver ?? null;
}

export async function findSealKey(db: DbOrTx, gatewayId: string): Promise<string | null> {
  const rows = await db.select({ key: gateway.sealKey }).from(gateway).where(eq(gateway.id, gatewayId));
  return rows[0]?.key ?? null;
}

/** @returns false when it was known already */
export async function saveSealKey(db: DbOrTx, gatewayId: string, sealKey: string): Promise<boolean> {
  const rows = await db
    .update(gateway)
    .set({ sealKey })
    .where(and(eq(gateway.id, gatewayId), sql`${gateway.sealKey} IS DISTINCT FROM ${sealKey}`))
    .returning({ id: gateway.id });
  return rows.length > 0;
}

/** Whether the gateway itself, any of its devices, or the kind of machine of one, ever had a secret. */
export async function hasSecrets(db: DbOrTx, gatewayId: string): Promise<boolean> {
  const [own] = await db
    .select({ id: secret.id })
    .from(secret)
    .where(and(eq(secret.ownerKind, "gateway"), eq(secret.ownerId, gatewayId)))
    .limit(1);
  if (own !== undefined) return true;
  const rows = await db
    .select({ id: secret.id })
    .from(secret)
    .innerJoin(device, or(eq(device.id, secret.ownerId), eq(device.profileId, secret.ownerId)))
    .where(eq(device.gatewayId, gatewayId))
    .limit(1);
  return rows.length > 0;
}

/** What is sealed already for this key of the gateway. */
export async function findSealed(
  db: DbOrTx,
  gatewayId: string,
  sealKey: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const rows = await db
    .select({ id: sealedSecret.secretId, sealed: sealedSecret.sealed })
    .from(sealedSecret)
    .where(
      and(
        eq(sealedSecret.gatewayId, gatewayId),
        eq(sealedSecret.sealKey, sealKey),
        inArray(sealedSecret.secretId, [...ids]),
      ),
    );
  return new Map(rows.map(({ id, sealed }) => [id, sealed]));
}

export async function saveSealed(
  tx: Tx,
  gatewayId: string,
  sealKey: string,
  sealed: ReadonlyMap<string, string>,
): Promise<void> {
  if (sealed.size === 0) return;
  await tx
    .insert(sealedSecret)
    .values([...sealed].map(([secretId, text]) => ({ secretId, gatewayId, sealKey, sealed: text })))
    .onConflictDoUpdate({
      target: [sealedSecret.secretId, sealedSecret.gatewayId],
      set: { sealKey, sealed: sql`excluded.sealed` },
    });
}
