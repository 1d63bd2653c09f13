import { AppError } from "@millrace/contract/error/app-error";

/** SQLSTATE classes after which the same statement may succeed later: connection, rollback, resources, operator, I/O. */
const RETRY_CLASSES = new Set(["08", "40", "53", "57", "58"]);
const SQLSTATE = /^[0-9A-Z]{5}$/;
/** A wrapped error is at most this deep; a cycle of causes must not hang us. */
const causesMax = 8;

interface PostgresFacts {
  /** SQLSTATE; null when the failure is one of the connection, not an answer of the server. */
  sqlState: string | null;
  constraint: string | null;
}

/** What PostgreSQL, or the way to it, said; null when the error comes from neither. */
export function postgresFacts(thrown: unknown): PostgresFacts | null {
  let at: unknown = thrown;
  for (let depth = 0; depth < causesMax && at instanceof Error; depth += 1) {
    const { errno, code, constraint } = at as { errno?: unknown; code?: unknown; constraint?: unknown };
    if (typeof code === "string" && code.startsWith("ERR_POSTGRES")) {
      return {
        sqlState: typeof errno === "string" && SQLSTATE.test(errno) ? errno : null,
        constraint: typeof constraint === "string" ? constraint : null,
      };
    }
    // A refused connection comes as a plain system error.
    if (code === "ECONNREFUSED" || code === "ECONNRESET" || code === "FailedToOpenSocket") {
      return { sqlState: null, constraint: null };
    }
    at = at.cause;
  }
  return null;
}

/** True when the server refused a row because another one has the same key. */
export const isUniqueViolation = (thrown: unknown, constraint?: string): boolean => {
  const facts = postgresFacts(thrown);
  return facts?.sqlState === "23505" && (constraint === undefined || facts.constraint === constraint);
};

/** True when the server refused to remove a row that others refer to, or to refer to one that is not there. */
export const isForeignKeyViolation = (thrown: unknown): boolean =>
  postgresFacts(thrown)?.sqlState === "23503";

/**
 * Gives a thrown database error its code: `database.unavailable` when trying again may help, else `database.failed`.
 * The text names neither statement nor values; those stay in the cause. Other errors come back as they are.
 */
export function mapDatabaseError(thrown: unknown): unknown {
  if (thrown instanceof AppError) return thrown;
  const facts = postgresFacts(thrown);
  if (facts === null) return thrown;
  const { sqlState } = facts;
  if (sqlState === null) {
    return new AppError("database.unavailable", "The hub cannot reach its database.", { cause: thrown });
  }
  const retry = RETRY_CLASSES.has(sqlState.slice(0, 2));
  return new AppError(
    retry ? "database.unavailable" : "database.failed",
    retry ? "The database cannot serve this now." : "The database refused a statement of the hub.",
    { cause: thrown, context: { sqlState } },
  );
}
