import { AppError } from "@millrace/contract/error/app-error";

export const PAGE_ROWS = { standard: 200 } as const;

/** Where the next page begins: the sort key of the last row of this one, opaque to the caller. */
export const encodeCursor = (key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString("base64url");

/** @throws AppError `request.invalid` for a cursor that is not one of ours */
export function decodeCursor(cursor: string | undefined, length: number): (string | number)[] | null {
  if (cursor === undefined) return null;
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(key) && key.length === length && key.every(isKeyPart)) {
      return key as (string | number)[];
    }
  } catch {
    // Said below, in one way for every wrong cursor.
  }
  throw wrongCursor();
}

export const wrongCursor = () =>
  new AppError("request.invalid", "query/cursor: expected the nextCursor of the page before.");

/** PostgreSQL takes no NUL in a text. */
const isKeyPart = (part: unknown): boolean =>
  typeof part === "string" ? !part.includes("\u0000") : typeof part === "number";

/** Cuts one row too many off and says where to go on. */
export function pageOf<Row, T>(
  rows: readonly Row[],
  limit: number,
  map: (row: Row) => T,
  keyOf: (row: Row) => readonly (string | number)[],
): { items: T[]; nextCursor: string | null } {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return {
    items: kept.map(map),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null,
  };
}
