import { AppError } from "@millrace/contract/error/app-error";
import { type CursorPart, decodeCursor } from "../http/page.ts";

const FIRST_MS = Date.parse("0000-01-01T00:00:00Z");
const LAST_MS = Date.parse("9999-12-31T23:59:59.999Z");

/** An instant of the API. A time before year 0 or after year 9999, which a gateway may believe in, becomes the limit. */
export const instantOf = (ms: number): string =>
  new Date(Math.min(LAST_MS, Math.max(FIRST_MS, ms))).toISOString();

/**
 * A range of time as two optional instants: [fromMs, toMs).
 * @throws AppError `request.invalid` for a day that does not exist
 */
export function rangeMs(query: { from?: string; to?: string }): { fromMs: number; toMs: number } {
  const fromMs = query.from === undefined ? FIRST_MS : Date.parse(query.from);
  const toMs = query.to === undefined ? LAST_MS : Date.parse(query.to);
  for (const [name, ms] of Object.entries({ from: fromMs, to: toMs }))
    if (Number.isNaN(ms))
      throw new AppError("request.invalid", `${name}: expected an instant such as 2026-11-23T10:41:20Z.`);
  return { fromMs, toMs };
}

/**
 * Both ends of a stretch of time in a body; which may come first is the caller's to say.
 * @param place of the two fields, such as `body/range/`
 * @throws AppError `request.invalid` for a day that does not exist
 */
export function stretchMs(
  place: string,
  stretch: { from: string; to: string },
): { fromMs: number; toMs: number } {
  const ms = (name: "from" | "to") => {
    const found = Date.parse(stretch[name]);
    if (!Number.isNaN(found)) return found;
    throw new AppError(
      "request.invalid",
      `${place}${name}: expected an instant such as 2026-11-23T10:41:20Z.`,
    );
  };
  return { fromMs: ms("from"), toMs: ms("to") };
}

/** Sort keys in a cursor that are numbers, the first a time. @throws AppError `request.invalid` */
export function numberCursor(cursor: string | undefined, length: number): number[] | null {
  const parts = Array.from({ length }, (_, i): CursorPart => (i === 0 ? "number" : "whole"));
  return decodeCursor(cursor, parts) as number[] | null;
}
