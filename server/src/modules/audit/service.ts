import type { DbOrTx, Tx } from "../../db/client.ts";
import { type AuditFact, CHAIN_START, chainHash, firstBroken } from "./chain.ts";
import { findAfter, findLast, insertRow, lockChain } from "./store.ts";

/** Rows verified at once: the chain grows for years, the memory to check it does not. */
const VERIFY_ROWS = 1_000;

/** As stored: jsonb keeps neither `undefined` nor dates, so the hash is made over what will be read back. */
const stored = (value: object | null): object | null =>
  value === null ? null : (JSON.parse(JSON.stringify(value)) as object);

/** Adds a fact to the chain, in the transaction of the change itself: neither exists without the other. */
export async function recordAudit(tx: Tx, fact: AuditFact): Promise<void> {
  await lockChain(tx);
  const last = await findLast(tx);
  const no = (last?.no ?? 0) + 1;
  const prevHash = last?.hash ?? CHAIN_START;
  const clean = { ...fact, old: stored(fact.old), new: stored(fact.new) };
  await insertRow(tx, { ...clean, no, prevHash, hash: chainHash(prevHash, no, clean) });
}

/** Reads the chain from its start; the number of the first broken row, or null when it holds. */
export async function verifyAudit(db: DbOrTx): Promise<number | null> {
  let before: { no: number; hash: Uint8Array } = { no: 0, hash: CHAIN_START };
  for (;;) {
    const rows = await findAfter(db, before.no, VERIFY_ROWS);
    const last = rows.at(-1);
    if (last === undefined) return null;
    const broken = firstBroken(rows, before);
    if (broken !== null) return broken;
    before = last;
  }
}
