import type { SampleFormat } from "@millrace/contract/api/history";
import type { Reach } from "@millrace/contract/api/role";
import { AppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import { LIMITS } from "@millrace/contract/wire/limits";
import { intervalForWidth, parseInterval } from "../../historian/query/interval.ts";
import { QUERY } from "../../historian/query/limits.ts";
import type { Span } from "../../historian/query/store.ts";
import { HOUR_MS } from "../../historian/slot.ts";

/** The query as its schema lets it through. */
export interface SamplesQuery {
  tag: string;
  from: string;
  to: string;
  width?: number;
  interval?: string;
  weighted?: "true" | "false";
  bounds?: "true" | "false";
  limit?: number;
  format?: SampleFormat;
}

/** What is asked for. */
export interface SamplesRequest {
  tagNos: number[];
  /** Where whoever asks may read; tags elsewhere count as unknown. */
  reach: Reach;
  range: Span;
  what: { kind: "raw"; limit: number | null } | { kind: "envelope"; intervalMs: number; weighted: boolean };
  bounds: boolean;
  format: SampleFormat;
}

/** A field of the query that cannot be served, with what would do. */
function refuse(
  field: string,
  found: string,
  expected: string,
  code: ErrorCode = "request.invalid",
): AppError {
  const name = `query/${field}`;
  return new AppError(code, `${name}: expected ${expected}, found ${found}.`, {
    context: { fields: [{ field: name, found, expected }] },
  });
}

const MEDIA: readonly [string, SampleFormat][] = [
  ["text/csv", "csv"],
  ["application/x-ndjson", "ndjson"],
  ["application/ndjson", "ndjson"],
  ["application/vnd.apache.parquet", "parquet"],
];

/** Form by the `Accept` header: the first known type in it; JSON for anything else. */
export function formatOf(accept: string | null): SampleFormat {
  for (const part of (accept ?? "").split(",")) {
    const type = part.split(";")[0]?.trim().toLowerCase();
    if (type === "application/json") return "json";
    const known = MEDIA.find(([media]) => media === type);
    if (known) return known[1];
  }
  return "json";
}

/**
 * Judges a query as a whole: what one field allows, another may forbid.
 * @throws AppError `request.invalid` | `query.tooLarge`, naming the field
 */
export function readRequest(query: SamplesQuery, accept: string | null, reach: Reach): SamplesRequest {
  const tagNos = tagsOf(query.tag);
  const range = rangeOf(query);
  const format = query.format ?? formatOf(accept);
  const bounds = query.bounds === "true";
  if (bounds && format !== "json") throw refuse("bounds", "true", `it with JSON only, not ${format}`);
  const intervalMs = intervalOf(query, range);
  if (intervalMs === null) {
    if (query.weighted === "true")
      throw refuse("weighted", "true", "it together with width or interval: single samples have no mean");
    const limit = query.limit ?? null;
    return { tagNos, reach, range, bounds, format, what: { kind: "raw", limit } };
  }
  if (query.limit !== undefined)
    throw refuse("limit", String(query.limit), "none: an envelope has as many rows as its interval gives");
  if (format === "parquet") throw refuse("format", "parquet", "json, csv or ndjson for an envelope");
  checkBuckets(query, range, intervalMs, tagNos.length);
  const weighted = query.weighted === "true";
  return { tagNos, reach, range, bounds, format, what: { kind: "envelope", intervalMs, weighted } };
}

function tagsOf(text: string): number[] {
  const tagNos = [...new Set(text.split(",").map(Number))];
  if (tagNos.length > QUERY.tagsMax)
    throw refuse("tag", `${tagNos.length} tags`, `at most ${QUERY.tagsMax} (tagsMax)`, "query.tooLarge");
  const wrong = tagNos.find((tagNo) => !(tagNo >= 1 && tagNo <= 0xffff_ffff));
  if (wrong !== undefined) throw refuse("tag", String(wrong), "numbers of tags, such as 12,13");
  return tagNos;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;

function rangeOf({ from, to }: SamplesQuery): Span {
  const instant = (field: "from" | "to", text: string) => {
    const ms = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(ms))
      throw refuse(field, JSON.stringify(text.slice(0, 40)), "an instant such as 2026-11-23T10:41:20Z");
    return ms;
  };
  const range = { fromMs: instant("from", from), toMs: instant("to", to) };
  if (range.toMs <= range.fromMs) throw refuse("to", to, `an instant later than from, ${from}`);
  return range;
}

function intervalOf({ width, interval }: SamplesQuery, { fromMs, toMs }: Span): number | null {
  if (width !== undefined && interval !== undefined)
    throw refuse("interval", interval, "either width or interval, not both");
  if (width !== undefined) return intervalForWidth(toMs - fromMs, width);
  if (interval === undefined) return null;
  const ms = parseInterval(interval);
  if (ms === null) throw refuse("interval", JSON.stringify(interval), "500ms, 10s, 1m, 1h, 1d or whole ms");
  return ms;
}

function checkBuckets(query: SamplesQuery, { fromMs, toMs }: Span, intervalMs: number, tags: number): void {
  const buckets = Math.ceil((toMs - fromMs) / intervalMs) + 1;
  const field = query.interval === undefined ? "width" : "interval";
  const found = `${buckets} buckets a tag, ${buckets * tags} in all`;
  if (buckets > QUERY.bucketsMax + 1)
    throw refuse(field, found, `at most ${QUERY.bucketsMax} a tag (bucketsMax)`, "query.tooLarge");
  if (buckets * tags > QUERY.bucketsInAllMax)
    throw refuse(field, found, `at most ${QUERY.bucketsInAllMax} in all (bucketsInAllMax)`, "query.tooLarge");
}

/** Rows of one page of raw JSON. */
export const pageRows = (limit: number | null): number =>
  Math.min(limit ?? QUERY.rowsDefault, LIMITS.samplesRowsMax);

/** Whether a request may decode more than a moment's worth of samples. Pages of raw samples never do. */
export function isHeavy({ what, range, tagNos }: SamplesRequest): boolean {
  if (what.kind === "raw") return false;
  const tagHours = ((range.toMs - range.fromMs) / HOUR_MS) * tagNos.length;
  return (what.weighted || what.intervalMs % 60_000 !== 0) && tagHours > QUERY.lightTagHours;
}
