import type { Reach } from "@millrace/contract/api/role";
import { and, asc, eq, inArray, isNull, lt, or, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { inReachOf } from "../../db/reach.ts";
import { tag } from "../../db/schema/tag.ts";
import { annotation } from "../../db/schema/trend.ts";

export type AnnotationRow = typeof annotation.$inferSelect;

export interface AnnotationFilter {
  fromMs: number;
  toMs: number;
  /** Null for all; otherwise those of these tags and those of the whole plant. */
  tagNos: readonly number[] | null;
  reach: Reach;
  /** Key of the last row of the page before. */
  after: { fromMs: number; id: string } | null;
  limit: number;
}

/** Notes of the whole plant are everybody's; others are read where their tag is. */
const ofReach = (reach: Reach) =>
  or(
    isNull(annotation.tagNo),
    inReachOf(sql`(SELECT ${tag.path} FROM ${tag} WHERE ${tag.tagNo} = ${annotation.tagNo})`, reach) ??
      sql`true`,
  );

/** Annotations that touch [fromMs, toMs), by their beginning. A stretch includes its end. */
export async function listAnnotations(db: DbOrTx, filter: AnnotationFilter): Promise<AnnotationRow[]> {
  const { fromMs, toMs, tagNos, after } = filter;
  const at = (ms: number) => new Date(ms).toISOString();
  return await db
    .select()
    .from(annotation)
    .where(
      and(
        lt(annotation.from, new Date(toMs)),
        sql`coalesce(${annotation.to}, ${annotation.from}) >= ${at(fromMs)}::timestamptz`,
        tagNos === null ? undefined : or(isNull(annotation.tagNo), inArray(annotation.tagNo, [...tagNos])),
        ofReach(filter.reach),
        after === null
          ? undefined
          : sql`(${annotation.from}, ${annotation.id}) > (${at(after.fromMs)}::timestamptz, ${after.id}::uuid)`,
      ),
    )
    .orderBy(asc(annotation.from), asc(annotation.id))
    .limit(filter.limit);
}

export async function lockAnnotation(tx: Tx, id: string): Promise<AnnotationRow | null> {
  const rows = await tx.select().from(annotation).where(eq(annotation.id, id)).for("update");
  return rows[0] ?? null;
}

export async function insertAnnotation(tx: Tx, row: AnnotationRow): Promise<void> {
  await tx.insert(annotation).values(row);
}

export async function deleteAnnotation(tx: Tx, id: string): Promise<void> {
  await tx.delete(annotation).where(eq(annotation.id, id));
}
