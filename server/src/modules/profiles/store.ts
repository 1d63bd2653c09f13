import { asc, eq, gt } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { profile } from "../../db/schema/profile.ts";

export type ProfileRow = typeof profile.$inferSelect;

export async function findProfile(db: DbOrTx, id: string): Promise<ProfileRow | null> {
  const rows = await db.select().from(profile).where(eq(profile.id, id));
  return rows[0] ?? null;
}

/** Held to the end of the transaction: two edits of one profile happen one after the other. */
export async function lockProfile(tx: Tx, id: string): Promise<ProfileRow | null> {
  const rows = await tx.select().from(profile).where(eq(profile.id, id)).for("update");
  return rows[0] ?? null;
}

export async function listProfiles(
  db: DbOrTx,
  afterName: string | null,
  limit: number,
): Promise<ProfileRow[]> {
  return await db
    .select()
    .from(profile)
    .where(afterName === null ? undefined : gt(profile.name, afterName))
    .orderBy(asc(profile.name))
    .limit(limit);
}

export async function insertProfile(tx: Tx, row: ProfileRow): Promise<void> {
  await tx.insert(profile).values(row);
}

export async function updateProfile(tx: Tx, { id, ...row }: ProfileRow): Promise<void> {
  await tx.update(profile).set(row).where(eq(profile.id, id));
}

export async function deleteProfile(tx: Tx, id: string): Promise<void> {
  await tx.delete(profile).where(eq(profile.id, id));
}
