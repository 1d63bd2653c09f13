import { createHash } from "node:crypto";
import { canonicalJson } from "@millrace/contract/std/canonical-json";

/** A fact of the audit as it is hashed. `old` is null for something made, `new` for something removed. */
export interface AuditFact {
  atMs: number;
  who: string;
  action: string;
  subject: string;
  old: object | null;
  new: object | null;
}

export interface AuditRow extends AuditFact {
  no: number;
  prevHash: Uint8Array;
  hash: Uint8Array;
}

/** What the first row has before it. */
export const CHAIN_START = new Uint8Array(32);

/** SHA-256 over the hash before, the number and the whole fact. */
export function chainHash(prevHash: Uint8Array, no: number, fact: AuditFact): Uint8Array {
  const text = canonicalJson({
    no,
    atMs: fact.atMs,
    who: fact.who,
    action: fact.action,
    subject: fact.subject,
    old: fact.old,
    new: fact.new,
  });
  return new Uint8Array(createHash("sha256").update(prevHash).update(text).digest());
}

/**
 * Finds the first row that was changed or that something is missing before; null when the chain holds.
 * @param rows in the order of their numbers, right after `before`
 */
export function firstBroken(
  rows: readonly AuditRow[],
  before: { no: number; hash: Uint8Array },
): number | null {
  let { no, hash } = before;
  for (const row of rows) {
    no += 1;
    const wanted = chainHash(hash, no, row);
    if (row.no !== no || !Buffer.from(row.hash).equals(wanted)) return no;
    hash = wanted;
  }
  return null;
}
