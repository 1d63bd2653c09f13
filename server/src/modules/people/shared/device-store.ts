import { asc, eq } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../../db/client.ts";
import { sharedDevice } from "../../../db/schema/person.ts";
import { site } from "../../../db/schema/site.ts";
import { tokenHash } from "../../../secret.ts";

export type SharedDeviceRow = typeof sharedDevice.$inferSelect & { path: string };

const columns = {
  id: sharedDevice.id,
  name: sharedDevice.name,
  hash: sharedDevice.hash,
  siteId: sharedDevice.siteId,
  device: sharedDevice.device,
  createdAt: sharedDevice.createdAt,
  lastSeenAt: sharedDevice.lastSeenAt,
  path: site.path,
};

const all = (db: DbOrTx) =>
  db.select(columns).from(sharedDevice).innerJoin(site, eq(site.id, sharedDevice.siteId));

/** The tablet whose cookie this is; null for none, or one that was taken away. */
export async function findSharedDevice(db: DbOrTx, token: string | null): Promise<SharedDeviceRow | null> {
  if (token === null || token === "") return null;
  const [row] = await all(db).where(eq(sharedDevice.hash, tokenHash(token)));
  return row ?? null;
}

export async function findSharedDeviceById(db: DbOrTx, id: string): Promise<SharedDeviceRow | null> {
  const [row] = await all(db).where(eq(sharedDevice.id, id));
  return row ?? null;
}

export const listSharedDevices = (db: DbOrTx, max: number): Promise<SharedDeviceRow[]> =>
  all(db).orderBy(asc(sharedDevice.name), asc(sharedDevice.id)).limit(max);

export async function insertSharedDevice(tx: Tx, row: typeof sharedDevice.$inferInsert): Promise<void> {
  await tx.insert(sharedDevice).values(row);
}

/** With its PIN counts and its sessions. */
export async function deleteSharedDevice(tx: Tx, id: string): Promise<void> {
  await tx.delete(sharedDevice).where(eq(sharedDevice.id, id));
}

export async function touchSharedDevice(db: DbOrTx, id: string, now: Date): Promise<void> {
  await db.update(sharedDevice).set({ lastSeenAt: now }).where(eq(sharedDevice.id, id));
}
