import { AppError } from "@millrace/contract/error/app-error";
import type { ReservedSQL, SQL } from "bun";
import { postgresFacts } from "../../db/error.ts";
import { QUERY } from "./limits.ts";

const BEGIN = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = ${QUERY.statementMs}`;

/** PostgreSQL's own words for "cancelled", which is what its timeout does. */
const CANCELLED = "57014";

/**
 * Runs reads that must see one state of all levels: a sample is moved between them while we look, and is in exactly
 * one at any instant. Statements sent without waiting travel together on the one connection.
 * @throws AppError `query.timeout` when a statement takes longer than `statementMs`
 */
export async function inSnapshot<T>(sql: SQL, work: (tx: ReservedSQL) => Promise<T>): Promise<T> {
  const tx = await sql.reserve();
  const end = async (word: "COMMIT" | "ROLLBACK") => await tx.unsafe(word).simple();
  let ended: Promise<unknown> = Promise.resolve();
  try {
    // Sent, and awaited only later: the first statements of `work` travel with it.
    const begun = tx.unsafe(BEGIN).simple().execute();
    begun.catch(() => undefined);
    const result = await work(tx);
    await begun;
    // Nothing was written: whether this succeeds changes no answer, so none waits for it.
    ended = end("COMMIT");
    return result;
  } catch (thrown) {
    ended = end("ROLLBACK");
    if (postgresFacts(thrown)?.sqlState === CANCELLED)
      throw new AppError(
        "query.timeout",
        `A statement took longer than ${QUERY.statementMs} ms (statementMs); ask for a shorter range.`,
        { cause: thrown, context: { limit: "statementMs", statementMs: QUERY.statementMs } },
      );
    throw thrown;
  } finally {
    void ended.catch(() => undefined).finally(() => tx.release());
  }
}
