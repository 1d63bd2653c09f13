import { AppError } from "@millrace/contract/error/app-error";
import { parseJson } from "./body.ts";

export const PAGE_ROWS = { standard: 200 } as const;

/** Where the next page begins: the sort key of the last row of this one, opaque to the caller. */
export const encodeCursor = (key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString("base64url");

/** What a part of a cursor is: a number, a whole number, or a text, which may have to be an instant or an id. */
export type CursorPart = "number" | "whole" | "text" | "instant" | "uuid";

/** As `toISOString` writes it, of the years a database takes; `Date.parse` alone reads "1" as a year. */
const INSTANT = /^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** False for 30 February, which `Date.parse` would take for a day in March. */
const isOnCalendar = (instant: string): boolean => {
  const ms = Date.parse(instant);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === instant;
};

const IS: Record<CursorPart, (part: unknown) => boolean> = {
  number: Number.isFinite,
  whole: Number.isSafeInteger,
  text: (part) => typeof part === "string",
  instant: (part) => typeof part === "string" && INSTANT.test(part) && isOnCalendar(part),
  uuid: (part) => typeof part === "string" && UUID.test(part),
};

/** @throws AppError `request.invalid` for a cursor that is not one of ours */
export function decodeCursor(
  cursor: string | undefined,
  parts: readonly CursorPart[],
): (string | number)[] | null {
  if (cursor === undefined) return null;
  try {
    const key = parseJson(Buffer.from(cursor, "base64url").toString());
    if (Array.isArray(key) && key.length === parts.length && parts.every((part, i) => IS[part](key[i])))
      return key as (string | number)[];
  } catch {
    // Said below, in one way for every wrong cursor.
  }
  throw new AppError("request.invalid", "query/cursor: expected the nextCursor of the page before.");
}

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
