import { asc, eq, gt } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
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

export async function listTrendViews(
  db: DbOrTx,
  afterName: string | null,
  limit: number,
): Promise<TrendViewRow[]> {
  return await db
    .select()
    .from(trendView)
    .where(afterName === null ? undefined : gt(trendView.name, afterName))
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
