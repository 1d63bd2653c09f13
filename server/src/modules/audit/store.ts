import { asc, desc, gt, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { audit } from "../../db/schema/audit.ts";
import type { AuditFact, AuditRow } from "./chain.ts";

/** Writers of the audit queue here for the rest of their transaction, because each row needs the one before. */
const AUDIT_LOCK = 7_146_220_116;

export async function lockChain(tx: Tx): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${AUDIT_LOCK})`);
}

export async function findLast(tx: Tx): Promise<{ no: number; hash: Uint8Array } | null> {
  const rows = await tx
    .select({ no: audit.no, hash: audit.hash })
    .from(audit)
    .orderBy(desc(audit.no))
    .limit(1);
  return rows[0] ?? null;
}

export async function insertRow(
  tx: Tx,
  { atMs, ...row }: AuditFact & { no: number; prevHash: Uint8Array; hash: Uint8Array },
): Promise<void> {
  await tx.insert(audit).values({ ...row, at: new Date(atMs) });
}

/** Rows after a number, in order. */
export async function findAfter(db: DbOrTx, no: number, limit: number): Promise<AuditRow[]> {
  const rows = await db.select().from(audit).where(gt(audit.no, no)).orderBy(asc(audit.no)).limit(limit);
  return rows.map(({ at, ...row }) => ({ ...row, atMs: at.getTime() }));
}
