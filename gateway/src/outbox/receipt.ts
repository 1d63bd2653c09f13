import type { Database } from "bun:sqlite";

/**
 * What was answered to somebody who sent samples under a key of their own. It goes to disk in the transaction of those
 * samples: so a repeated request finds either both or neither, also after a power cut between any two steps.
 */
export interface Receipt {
  /** Names sender and key. */
  id: string;
  /** The answer, to be given again as it is. */
  answer: string;
  atMs: number;
}

export type Receipts = readonly Receipt[];

/** Receipts kept, the newest. A sender repeats within minutes; a day is enough for the slowest. */
export const RECEIPTS_MAX = 50_000;
export const RECEIPT_MS = 24 * 3_600_000;
export const ANSWER_CHARS_MAX = 1_000;

export const RECEIPT_TABLE = `
CREATE TABLE IF NOT EXISTS receipt (
  no INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, answer TEXT NOT NULL, at REAL NOT NULL);
`;

/** Within the caller's transaction. */
export function writeReceipts(db: Database, receipts: readonly Receipt[]): void {
  if (receipts.length === 0) return;
  const insert = db.query("INSERT OR IGNORE INTO receipt (id, answer, at) VALUES (?, ?, ?)");
  for (const { id, answer, atMs } of receipts) insert.run(id, answer, atMs);
  // A clock that stepped must not empty the table: the number of a row never goes back.
  db.query("DELETE FROM receipt WHERE no <= (SELECT max(no) FROM receipt) - ?").run(RECEIPTS_MAX);
  db.query("DELETE FROM receipt WHERE at < ? AND no < (SELECT max(no) FROM receipt) - 100").run(
    receipts.at(-1)!.atMs - RECEIPT_MS,
  );
}

export function readReceipt(db: Database, id: string): string | null {
  const row = db.query("SELECT answer FROM receipt WHERE id = ?").get(id) as { answer: string } | null;
  return row?.answer ?? null;
}
