import { and, asc, desc, eq, gt, gte, lt, lte, type SQL, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { audit, auditAnchor } from "../../db/schema/audit.ts";
import type { Anchor } from "./anchor.ts";
import type { AuditFact, AuditRow, Head } from "./chain.ts";
import { AUDIT } from "./limits.ts";

/** Writers of the audit queue here for the rest of their transaction, because each row needs the one before. */
const AUDIT_LOCK = 7_146_220_116;

export async function lockChain(tx: Tx): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${AUDIT_LOCK})`);
}

/** The last row; null while there is none. */
export async function findLast(db: DbOrTx): Promise<Head | null> {
  const rows = await db
    .select({ no: audit.no, hash: audit.hash })
    .from(audit)
    .orderBy(desc(audit.no))
    .limit(1);
  return rows[0] ?? null;
}

/** The row with this number, as it is now. */
export async function findHead(db: DbOrTx, no: number): Promise<Head | null> {
  const rows = await db.select({ no: audit.no, hash: audit.hash }).from(audit).where(eq(audit.no, no));
  return rows[0] ?? null;
}

export async function insertRow(
  tx: Tx,
  { atMs, from, ...row }: AuditFact & { no: number; prevHash: Uint8Array; hash: Uint8Array },
): Promise<void> {
  await tx.insert(audit).values({ ...row, from: from ?? null, at: new Date(atMs) });
}

/** Bytes of a row's old and new values. */
const SIZE = sql<number>`coalesce(octet_length(${audit.old}::text), 0) + coalesce(octet_length(${audit.new}::text), 0)`;

/** Numbers of the first rows that fit into a page, in order. */
async function numbersOf(
  db: DbOrTx,
  where: SQL | undefined,
  order: "older" | "newer",
  limit: number,
): Promise<{ nos: number[]; cut: boolean }> {
  const rows = await db
    .select({ no: audit.no, size: SIZE })
    .from(audit)
    .where(where)
    .orderBy(order === "newer" ? asc(audit.no) : desc(audit.no))
    .limit(limit);
  let bytes = 0;
  const nos: number[] = [];
  for (const { no, size } of rows) {
    // One row always fits, or a large one would end the list for ever.
    if (nos.length > 0 && bytes + Number(size) > AUDIT.pageBytesMax) return { nos, cut: true };
    bytes += Number(size);
    nos.push(no);
  }
  return { nos, cut: false };
}

/** Rows after a number, in order: at most `limit` and no more than fit into a page. Empty only at the end. */
export async function findAfter(db: DbOrTx, no: number, limit: number): Promise<AuditRow[]> {
  const { nos } = await numbersOf(db, gt(audit.no, no), "newer", limit);
  const last = nos.at(-1);
  if (last === undefined) return [];
  const rows = await db
    .select()
    .from(audit)
    .where(and(gt(audit.no, no), lte(audit.no, last)))
    .orderBy(asc(audit.no));
  return rows.map(({ at, ...row }) => ({ ...row, atMs: at.getTime() }));
}

export interface AuditFilter {
  /** Null: without this end. */
  fromMs: number | null;
  toMs: number | null;
  who: string | null;
  action: string | null;
  subject: string | null;
  /** Number of the last row of the page before. */
  beforeNo: number | null;
  limit: number;
}

/** Exactly so, or beginning so when it ends with a star. */
const like = (column: typeof audit.who | typeof audit.action | typeof audit.subject, wanted: string): SQL =>
  wanted.endsWith("*") ? sql`starts_with(${column}, ${wanted.slice(0, -1)})` : eq(column, wanted);

/** A row with the names its `who` and its `subject` have now. */
export type ListedRow = AuditRow & { whoName: string | null; subjectName: string | null };

const WHO_NAME = sql<string | null>`coalesce(
  (SELECT p.name FROM person p WHERE ${audit.who} = 'person:' || p.id),
  (SELECT k.name FROM api_key k WHERE ${audit.who} = 'apiKey:' || k.id),
  (SELECT g.name FROM gateway g WHERE ${audit.who} = 'gateway:' || g.id))`;

/** A kind of thing with its id, as subjects of most changes are; found by its key, however many things there are. */
const named = (kind: string, table: string, name: "name" | "path", type: "uuid" | "text"): SQL => {
  const id = sql.raw(`substring("audit"."subject" FROM ${kind.length + 2})::${type}`);
  return sql`WHEN ${audit.subject} ~ ${`^${kind}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`}
    THEN (SELECT ${sql.raw(name)} FROM ${sql.raw(table)} WHERE id = ${id})`;
};

const SUBJECT_NAME = sql<string | null>`CASE
  ${named("person", "person", "name", "text")} ${named("apiKey", "api_key", "name", "uuid")}
  ${named("gateway", "gateway", "name", "uuid")} ${named("device", "device", "path", "uuid")}
  ${named("site", "site", "path", "uuid")} ${named("profile", "profile", "name", "uuid")} END`;

/** The latest rows first. `more` tells that there are others after these. */
export async function listRows(
  db: DbOrTx,
  filter: AuditFilter,
): Promise<{ rows: ListedRow[]; more: boolean }> {
  const { fromMs, toMs, who, action, subject, beforeNo, limit } = filter;
  const where = and(
    fromMs === null ? undefined : gte(audit.at, new Date(fromMs)),
    toMs === null ? undefined : lt(audit.at, new Date(toMs)),
    who === null ? undefined : like(audit.who, who),
    action === null ? undefined : like(audit.action, action),
    subject === null ? undefined : like(audit.subject, subject),
    beforeNo === null ? undefined : lt(audit.no, beforeNo),
  );
  const { nos, cut } = await numbersOf(db, where, "older", limit + 1);
  const kept = nos.slice(0, limit);
  const more = cut || nos.length > limit;
  if (kept.length === 0) return { rows: [], more: false };
  const rows = await db
    .select({ row: audit, whoName: WHO_NAME, subjectName: SUBJECT_NAME })
    .from(audit)
    .where(and(where, gte(audit.no, kept.at(-1)!)))
    .orderBy(desc(audit.no))
    .limit(kept.length);
  return {
    rows: rows.map(({ row: { at, ...row }, ...names }) => ({ ...row, atMs: at.getTime(), ...names })),
    more,
  };
}

const anchorOf = ({ at, ...row }: typeof auditAnchor.$inferSelect): Anchor => ({
  ...row,
  atMs: at.getTime(),
});

/** Anchors of rows in (afterNo, toNo], in order: never more than there are rows. */
export async function findAnchors(db: DbOrTx, afterNo: number, toNo: number): Promise<Anchor[]> {
  const rows = await db
    .select()
    .from(auditAnchor)
    .where(and(gt(auditAnchor.no, afterNo), lte(auditAnchor.no, toNo)))
    .orderBy(asc(auditAnchor.no));
  return rows.map(anchorOf);
}

/** The anchor of the latest row; null while there is none. */
export async function findNewestAnchor(db: DbOrTx): Promise<Anchor | null> {
  const rows = await db.select().from(auditAnchor).orderBy(desc(auditAnchor.no)).limit(1);
  return rows[0] === undefined ? null : anchorOf(rows[0]);
}

/** @returns false when another hub was there first */
export async function insertAnchor(db: DbOrTx, { atMs, ...anchor }: Anchor): Promise<boolean> {
  const rows = await db
    .insert(auditAnchor)
    .values({ ...anchor, at: new Date(atMs) })
    .onConflictDoNothing()
    .returning({ no: auditAnchor.no });
  return rows.length > 0;
}

/** Bytes the audit takes in the database, indexes included. */
export async function sizeBytes(db: DbOrTx): Promise<number> {
  const rows = await db.execute<{ bytes: string }>(
    sql`SELECT pg_total_relation_size('audit'::regclass)::text AS bytes`,
  );
  return Number(rows[0]?.bytes ?? 0);
}
