import type { Db, Tx } from "./client.ts";
import { mapDatabaseError } from "./error.ts";

/**
 * Runs `work` in one transaction: all of it is committed, or none.
 *
 * @throws AppError `database.unavailable` | `database.failed` for what the database says; what `work` itself throws
 *   comes out unchanged.
 */
export async function inTransaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  try {
    return await db.transaction(work);
  } catch (thrown) {
    throw mapDatabaseError(thrown);
  }
}
