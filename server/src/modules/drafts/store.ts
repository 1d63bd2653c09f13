import { and, count, desc, eq, getTableColumns } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { configDraft } from "../../db/schema/config.ts";

export type DraftRow = typeof configDraft.$inferSelect;

const { document: _document, ...head } = getTableColumns(configDraft);

/** The one that was worked on last comes first; all of them, because they are few. */
export const listDrafts = (db: DbOrTx) =>
  db.select(head).from(configDraft).orderBy(desc(configDraft.updatedAt));

export async function countDrafts(tx: Tx): Promise<number> {
  const rows = await tx.select({ n: count() }).from(configDraft);
  return rows[0]?.n ?? 0;
}

export async function findDraft(db: DbOrTx, id: string): Promise<DraftRow | null> {
  const rows = await db.select().from(configDraft).where(eq(configDraft.id, id));
  return rows[0] ?? null;
}

export async function insertDraft(tx: Tx, row: DraftRow): Promise<void> {
  await tx.insert(configDraft).values(row);
}

/** False when somebody was quicker. */
export async function updateDraft(tx: Tx, row: DraftRow): Promise<boolean> {
  const rows = await tx
    .update(configDraft)
    .set(row)
    .where(and(eq(configDraft.id, row.id), eq(configDraft.revision, row.revision - 1)))
    .returning({ id: configDraft.id });
  return rows.length > 0;
}

export async function deleteDraft(tx: Tx, id: string): Promise<void> {
  await tx.delete(configDraft).where(eq(configDraft.id, id));
}
