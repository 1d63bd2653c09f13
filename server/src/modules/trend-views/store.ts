import type { Reach } from "@millrace/contract/api/role";
import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { reachText } from "../../db/reach.ts";
import { tag } from "../../db/schema/tag.ts";
import { trendView } from "../../db/schema/trend.ts";

export type TrendViewRow = typeof trendView.$inferSelect;

export async function findTrendView(db: DbOrTx, id: string): Promise<TrendViewRow | null> {
  const rows = await db.select().from(trendView).where(eq(trendView.id, id));
  return rows[0] ?? null;
}

/** Held to the end of the transaction: two edits of one view happen one after the other. */
export async function lockTrendView(tx: Tx, id: string): Promise<TrendViewRow | null> {
  const rows = await tx.select().from(trendView).where(eq(trendView.id, id)).for("update");
  return rows[0] ?? null;
}

/** Views of which every pen shows a tag in the reach. */
const whollyIn = (reach: Reach) =>
  reach === "whole"
    ? undefined
    : sql`NOT EXISTS (SELECT 1 FROM jsonb_array_elements(${trendView.pens}) AS pen
        LEFT JOIN ${tag} ON ${tag.tagNo} = (pen->>'tagNo')::bigint
        WHERE ${tag.path} IS NULL OR NOT in_reach(${tag.path}, ${reachText(reach)}::text::jsonb))`;

export async function listTrendViews(
  db: DbOrTx,
  afterName: string | null,
  limit: number,
  reach: Reach,
): Promise<TrendViewRow[]> {
  return await db
    .select()
    .from(trendView)
    .where(and(afterName === null ? undefined : gt(trendView.name, afterName), whollyIn(reach)))
    .orderBy(asc(trendView.name))
    .limit(limit);
}

export async function insertTrendView(tx: Tx, row: TrendViewRow): Promise<void> {
  await tx.insert(trendView).values(row);
}

export async function updateTrendView(tx: Tx, { id, ...row }: TrendViewRow): Promise<void> {
  await tx.update(trendView).set(row).where(eq(trendView.id, id));
}

export async function deleteTrendView(tx: Tx, id: string): Promise<void> {
  await tx.delete(trendView).where(eq(trendView.id, id));
}
