import { getLogger } from "@logtape/logtape";
import type { Problem } from "@millrace/contract/api/problem";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import { ERROR, type ErrorCode } from "@millrace/contract/error/code";
import { NotFoundError, ParseError, ValidationError } from "elysia";
import { mapDatabaseError } from "../db/error.ts";

const logger = getLogger(["hub", "http"]);
const fieldsMax = 20;

interface FieldError {
  field: string;
  found: string;
  expected: string;
}

/** The sort of a value, never the value: it may be a password in the wrong place. */
function sortOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "string") return value === "" ? "an empty text" : "a text";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

interface RawError {
  path?: string;
  value?: unknown;
  message?: string;
  schema?: { anyOf?: readonly { const?: unknown; type?: string }[] };
}

/** What a choice offers, in words; null for everything else. */
function choiceOf(schema: RawError["schema"]): string | null {
  const offers = schema?.anyOf;
  if (offers === undefined) return null;
  if (offers.every((each) => each.const !== undefined))
    return `Expected one of ${offers.map((each) => String(each.const)).join(", ")}`;
  // Numbers in a query arrive as texts; the framework's own type for that takes both.
  if (offers.some(({ type }) => type === "integer" || type === "number")) return "Expected a number";
  return null;
}

/** What TypeBox found wrong, by field. `on` is body, query, params or headers. */
export function fieldErrors(on: string, errors: readonly unknown[]): FieldError[] {
  return errors.slice(0, fieldsMax).map((raw) => {
    const { path, value, message, schema } = raw as RawError;
    const expected = choiceOf(schema) ?? message ?? "something else";
    return { field: `${on}${path ?? ""}`, found: sortOf(value), expected };
  });
}

/** A number of the query that is out of its range: the framework tells the number and not whose it is. */
function nameNumber(thrown: ValidationError, request: Request | undefined): string {
  for (const [name, text] of request === undefined ? [] : new URL(request.url).searchParams)
    if (Number(text) === thrown.value) return `query/${name}`;
  return "query";
}

/** Gives anything thrown in a request its code. */
export function requestError(thrown: unknown, request?: Request): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof ValidationError) {
    // An answer that does not fit its own schema is our bug, and its text would show what we hold.
    if (thrown.type === "response") return new AppError("internal.bug", "", { cause: thrown });
    const on = thrown.type === "property" ? nameNumber(thrown, request) : thrown.type;
    const fields = fieldErrors(on, thrown.all);
    const first = fields[0];
    return new AppError(
      "request.invalid",
      first === undefined
        ? "The request does not have the documented shape."
        : `${first.field}: ${first.expected}, found ${first.found}.`,
      { cause: thrown, context: { fields } },
    );
  }
  if (thrown instanceof NotFoundError)
    return new AppError("route.unknown", "There is nothing at this address.");
  if (thrown instanceof ParseError) {
    // The parser's own reason, when it was ours, is inside.
    if (thrown.cause instanceof AppError) return thrown.cause;
    return new AppError("request.malformed", "The body cannot be read.", { cause: thrown });
  }
  return asAppError(mapDatabaseError(thrown));
}

const SPEAKING: ReadonlySet<ErrorCode> = new Set(["database.unavailable", "audit.unwritable"]);

/** Codes whose message was written for a person outside; the others' text may come from anywhere. */
const speaks = (error: AppError): boolean => ERROR[error.code].status < 500 || SPEAKING.has(error.code);

/** RFC 9457 problem details. Nothing of an unexpected error leaves the hub but the id under which the log has it. */
export function problemOf(error: AppError, traceId: string): Problem {
  const row = ERROR[error.code];
  return {
    type: `urn:millrace:error:${error.code}`,
    title: error.code,
    status: row.status,
    code: error.code,
    detail: speaks(error) ? error.message : "Something went wrong inside the hub.",
    nextStep: row.nextStep,
    traceId,
    context: speaks(error) ? error.context : {},
  };
}

/** The answer to a failed request; logs what is our own or the database's failure with its cause. */
export function errorResponse(thrown: unknown, request: Request): Response {
  const error = requestError(thrown, request);
  const traceId = Bun.randomUUIDv7();
  const problem = problemOf(error, traceId);
  if (problem.status >= 500) {
    logger.error("{method} {path} failed with {code} ({traceId}): {cause}", {
      method: request.method,
      path: new URL(request.url).pathname,
      code: error.code,
      traceId,
      cause: error.cause ?? error,
    });
  }
  const headers: Record<string, string> = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
  };
  const { retryAfterS } = error.context;
  if (typeof retryAfterS === "number") headers["retry-after"] = String(retryAfterS);
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}
