import { Database } from "bun:sqlite";

/**
 * A small SQLite file whose every change is on disk when it returns, checked as a whole and handed to `read`. What goes
 * wrong on the way closes it again.
 * @param damaged the error for what was found, in its caller's words
 * @throws what `damaged` makes
 */
export function openDurable<T>(
  path: string,
  table: string,
  read: (db: Database) => T,
  damaged: (what: string, cause: unknown) => Error,
): T {
  let db: Database | null = null;
  try {
    db = new Database(path, { create: true, strict: true });
    db.run("PRAGMA journal_mode = WAL");
    db.run("PRAGMA synchronous = FULL");
    db.run(table);
    const check = db.query("PRAGMA quick_check(1)").get() as { quick_check: string };
    if (check.quick_check !== "ok") throw new Error(check.quick_check);
    return read(db);
  } catch (thrown) {
    db?.close();
    throw damaged(thrown instanceof Error ? thrown.message : String(thrown), thrown);
  }
}
