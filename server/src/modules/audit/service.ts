import { asc, desc, gt, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { audit } from "../../db/schema/audit.ts";
import { type AuditFact, type AuditRow, CHAIN_START, chainHash, firstBroken } from "./chain.ts";

/** Writers of the audit queue here for the rest of their transaction, because each row needs the one before. */
const AUDIT_LOCK = 7_146_220_116;

/** As stored: jsonb keeps neither `undefined` nor dates, so the hash is made over what will be read back. */
const stored = (value: object | null): object | null =>
  value === null ? null : (JSON.parse(JSON.stringify(value)) as object);

/** Adds a fact to the chain, in the transaction of the change itself: neither exists without the other. */
export async function recordAudit(tx: Tx, fact: AuditFact): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${AUDIT_LOCK})`);
  const [last] = await tx
    .select({ no: audit.no, hash: audit.hash })
    .from(audit)
    .orderBy(desc(audit.no))
    .limit(1);
  const no = (last?.no ?? 0) + 1;
  const prevHash = last?.hash ?? CHAIN_START;
  const clean = { ...fact, old: stored(fact.old), new: stored(fact.new) };
  const hash = chainHash(prevHash, no, clean);
  const { atMs, ...rest } = clean;
  await tx.insert(audit).values({ no, at: new Date(atMs), ...rest, prevHash, hash });
}

const verifyRowsMax = 10_000_000;

/** Reads the chain from its start; the number of the first broken row, or null when it holds. */
export async function verifyAudit(db: DbOrTx): Promise<number | null> {
  const rows: AuditRow[] = [];
  const found = await db
    .select()
    .from(audit)
    .where(gt(audit.no, 0))
    .orderBy(asc(audit.no))
    .limit(verifyRowsMax);
  for (const { at, ...row } of found) rows.push({ ...row, atMs: at.getTime() });
  return firstBroken(rows);
}
