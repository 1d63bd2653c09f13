import type { SQL } from "bun";
import { groupOf, hourOf } from "../slot.ts";
import type { TierColumns } from "../tier/tier.ts";
import { listOf, type Span } from "./store.ts";

/** Statements on stored figures and on what says that they may be used. */

export interface TagHour {
  tagNo: number;
  hourNo: number;
}

export interface HourFacts extends TagHour {
  /** Its day is closed: what stands here came late, and neither figures of hours nor of the day know it yet. */
  dayClosed: boolean;
  /** One-minute figures, if asked for. */
  minutes: Uint8Array | null;
}

/**
 * Hours that stand as such, with their one-minute figures where they lie outside `hours`, whose figures come from
 * elsewhere. Parts after the first say nothing here.
 */
export async function findHourFacts(
  sql: SQL,
  tagNos: readonly number[],
  span: Span,
  hours: Span,
): Promise<HourFacts[]> {
  const rows: { tag_no: number; hour_no: number; also: boolean; minutes: Uint8Array | null }[] = await sql`
    SELECT h.tag_no::float8 AS tag_no, h.hour_no,
      CASE WHEN h.hour_no < ${hourOf(hours.fromMs)}::int OR h.hour_no >= ${hourOf(hours.toMs)}::int THEN h.minutes END
        AS minutes,
      EXISTS (SELECT FROM history d WHERE d.tag_no = h.tag_no AND d.day_no = floor(h.hour_no / 24.0)::int) AS also
    FROM history_hour h
    WHERE h.tag_no = ANY(${listOf(tagNos)}::text::bigint[]) AND h.part = 0
      AND h.hour_no >= ${hourOf(span.fromMs)}::int AND h.hour_no <= ${hourOf(span.toMs - 1)}::int
    ORDER BY h.tag_no, h.hour_no`;
  return rows.map((row) => ({
    tagNo: row.tag_no,
    hourNo: row.hour_no,
    dayClosed: row.also,
    minutes: row.minutes,
  }));
}

/** Hours of groups in which samples wait that no figure holds yet. */
export async function findOpenHours(
  sql: SQL,
  tagNos: readonly number[],
  span: Span,
): Promise<{ groupNo: number; hourNo: number }[]> {
  const rows: { group_no: number; hour_no: number }[] = await sql`
    SELECT DISTINCT group_no, hour_no FROM history_minutes
    WHERE group_no = ANY(${listOf(new Set(tagNos.map(groupOf)))}::text::int[])
      AND hour_no >= ${hourOf(span.fromMs)}::int AND hour_no <= ${hourOf(span.toMs - 1)}::int`;
  return rows.map((row) => ({ groupNo: row.group_no, hourNo: row.hour_no }));
}

export interface MinuteRow {
  tagNo: number;
  dayNo: number;
  body: Uint8Array;
}

/** One-minute figures of closed days, `dayFrom` to `dayTo`, both included. */
export async function findMinuteRows(
  sql: SQL,
  tagNos: readonly number[],
  dayFrom: number,
  dayTo: number,
): Promise<MinuteRow[]> {
  const rows: { tag_no: number; day_no: number; body: Uint8Array }[] = await sql`
    SELECT tag_no::float8 AS tag_no, day_no, body FROM minute_tier
    WHERE tag_no = ANY(${listOf(tagNos)}::text::bigint[]) AND day_no >= ${dayFrom}::int AND day_no <= ${dayTo}::int
    ORDER BY tag_no, day_no`;
  return rows.map((row) => ({ tagNo: row.tag_no, dayNo: row.day_no, body: row.body }));
}

type PackedTier = { tag_no: number } & Record<
  "h" | "n" | "u" | "b" | "min" | "max" | "sum" | "first" | "last",
  Uint8Array
>;

export interface HourTier {
  tagNo: number;
  tier: TierColumns;
  /** Hours whose plain figures do not tell all: text, and integers beyond 2^53. */
  unsure: number[];
}

/** Where a 64-bit integer may have been rounded to a double. */
const EXACT_MAX = 2 ** 53;

/**
 * One-hour figures of each tag. They come as packed columns: eight thousand rows of a year take half the time that
 * way.
 */
export async function findHourTiers(
  sql: SQL,
  tagNos: readonly number[],
  { fromMs, toMs }: Span,
): Promise<HourTier[]> {
  const rows: PackedTier[] = await sql`
    SELECT tag_no::float8 AS tag_no, string_agg(timestamptz_send(hour), ''::bytea) AS h,
      string_agg(int4send(n), ''::bytea) AS n, string_agg(int4send(uncertain), ''::bytea) AS u,
      string_agg(int4send(bad), ''::bytea) AS b,
      string_agg(float8send(coalesce(min, 'NaN')), ''::bytea) AS min,
      string_agg(float8send(coalesce(max, 'NaN')), ''::bytea) AS max,
      string_agg(float8send(coalesce(sum, 'NaN')), ''::bytea) AS sum,
      string_agg(float8send(coalesce(first, 'NaN')), ''::bytea) AS first,
      string_agg(float8send(coalesce(last, 'NaN')), ''::bytea) AS last
    FROM (SELECT * FROM rollup_hour WHERE tag_no = ANY(${listOf(tagNos)}::text::bigint[])
      AND hour >= ${new Date(fromMs)} AND hour < ${new Date(toMs)} ORDER BY tag_no, hour) x
    GROUP BY tag_no`;
  return rows.map((row) => {
    const tier: TierColumns = {
      length: row.h.length / 8,
      startMs: timesOf(row.h),
      count: wholesOf(row.n),
      uncertain: wholesOf(row.u),
      bad: wholesOf(row.b),
      min: doublesOf(row.min),
      max: doublesOf(row.max),
      sum: doublesOf(row.sum),
      first: doublesOf(row.first),
      last: doublesOf(row.last),
      exact: null,
    };
    return { tagNo: row.tag_no, tier, unsure: unsureHours(tier) };
  });
}

/** Text leaves no number behind, beside numbers just none as the first or last. */
function unsureHours({ length, startMs, count, min, max, first, last }: TierColumns): number[] {
  const isPlain = (value: number) => Math.abs(value) < EXACT_MAX;
  const hours: number[] = [];
  for (let i = 0; i < length; i++) {
    if (count[i] === 0) continue;
    if (!(isPlain(min[i]!) && isPlain(max[i]!) && isPlain(first[i]!) && isPlain(last[i]!)))
      hours.push(hourOf(startMs[i]!));
  }
  return hours;
}

/** 2000-01-01 UTC, where PostgreSQL counts its microseconds from. */
const POSTGRES_EPOCH_MS = 946_684_800_000;

/** Instants as PostgreSQL sends them; sparing it the way over a decimal number makes the statement a third quicker. */
function timesOf(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const timesMs = new Float64Array(bytes.length / 8);
  for (let i = 0; i < timesMs.length; i++)
    timesMs[i] =
      (view.getInt32(8 * i) * 0x1_0000_0000 + view.getUint32(8 * i + 4)) / 1_000 + POSTGRES_EPOCH_MS;
  return timesMs;
}

/** PostgreSQL sends numbers with the high byte first. */
function doublesOf(bytes: Uint8Array): Float64Array {
  const turned = Buffer.from(bytes).swap64();
  return new Float64Array(turned.buffer.slice(turned.byteOffset, turned.byteOffset + turned.length));
}

function wholesOf(bytes: Uint8Array): Uint32Array {
  const turned = Buffer.from(bytes).swap32();
  return new Uint32Array(turned.buffer.slice(turned.byteOffset, turned.byteOffset + turned.length));
}
