import type { Reach } from "@millrace/contract/api/role";
import { and, asc, eq, gt, or, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { inReachOf, reachText } from "../../db/reach.ts";
import { site } from "../../db/schema/site.ts";

export type SiteRow = typeof site.$inferSelect;

export async function findSite(db: DbOrTx, id: string): Promise<SiteRow | null> {
  const rows = await db.select().from(site).where(eq(site.id, id));
  return rows[0] ?? null;
}

/** Places in the reach, and those above them: a tree needs its trunk. */
const shownIn = (reach: Reach) =>
  reach === "whole"
    ? undefined
    : or(
        inReachOf(site.path, reach),
        sql`EXISTS (SELECT 1 FROM jsonb_array_elements_text(${reachText(reach)}::text::jsonb) AS place
          WHERE starts_with(place, ${site.path} || '/'))`,
      );

/** In the order of the path, so that a parent comes before its children. */
export async function listSites(
  db: DbOrTx,
  afterPath: string | null,
  limit: number,
  reach: Reach,
): Promise<SiteRow[]> {
  return await db
    .select()
    .from(site)
    .where(and(afterPath === null ? undefined : gt(site.path, afterPath), shownIn(reach)))
    .orderBy(asc(site.path))
    .limit(limit);
}

export async function insertSite(tx: Tx, row: SiteRow): Promise<void> {
  await tx.insert(site).values(row);
}

export async function deleteSite(tx: Tx, id: string): Promise<void> {
  await tx.delete(site).where(eq(site.id, id));
}
