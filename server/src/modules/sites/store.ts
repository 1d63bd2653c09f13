import { asc, eq, gt } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { site } from "../../db/schema/site.ts";

export type SiteRow = typeof site.$inferSelect;

export async function findSite(db: DbOrTx, id: string): Promise<SiteRow | null> {
  const rows = await db.select().from(site).where(eq(site.id, id));
  return rows[0] ?? null;
}

/** In the order of the path, so that a parent comes before its children. */
export async function listSites(db: DbOrTx, afterPath: string | null, limit: number): Promise<SiteRow[]> {
  return await db
    .select()
    .from(site)
    .where(afterPath === null ? undefined : gt(site.path, afterPath))
    .orderBy(asc(site.path))
    .limit(limit);
}

export async function insertSite(tx: Tx, row: SiteRow): Promise<void> {
  await tx.insert(site).values(row);
}

export async function deleteSite(tx: Tx, id: string): Promise<void> {
  await tx.delete(site).where(eq(site.id, id));
}
