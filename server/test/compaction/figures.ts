import type { Series } from "@millrace/contract/block/series";
import type { SQL } from "bun";
import { decodeChunk } from "../../src/historian/compaction/chunk.ts";
import { lowerBound, mergeSeries, sliceSeries } from "../../src/historian/compaction/merge.ts";
import { DAY_MS, HOUR_MS, hourOf, MINUTE_MS } from "../../src/historian/slot.ts";
import { decodeTier } from "../../src/historian/tier/block.ts";
import { rollupOf } from "../../src/historian/tier/rollup-store.ts";
import { tierOfSeries } from "../../src/historian/tier/series.ts";
import type { TierColumns } from "../../src/historian/tier/tier.ts";
import { zstd } from "../../src/ingest/zstd.ts";

/** All stored figures against those computed from the samples beside them. */

/**
 * Where a tag has several kinds, whether a stretch's plain figures are repeated among the exact ones depends on what lay
 * beside them when they were computed. What a reader takes is the exact one, else the plain one.
 */
function settled({ exact, ...tier }: TierColumns): object {
  const taken = (name: "min" | "max" | "first" | "last") =>
    Array.from(tier[name], (plain, i) => exact?.[name]?.[i] ?? plain);
  return { ...tier, taken: [taken("min"), taken("max"), taken("first"), taken("last")] };
}

const textOf = (tier: TierColumns): string =>
  JSON.stringify(settled(tier), (_, value: unknown) => {
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "number" && !Number.isFinite(value)) return String(value);
    return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number>) : value;
  });

/** Rows of one tag as one series a kind. */
function kindsOf(bodies: readonly Uint8Array[]): Series[] {
  const kinds = new Map<string, Series[]>();
  for (const series of bodies.flatMap((body) => decodeChunk(body))) {
    const known = kinds.get(series.kind);
    if (known) known.push(series);
    else kinds.set(series.kind, [series]);
  }
  // The order of the kinds decides between samples of one millisecond.
  const order: Series["kind"][] = ["double", "int64", "uint64", "boolean", "text"];
  return order.flatMap((kind) => (kinds.has(kind) ? [mergeSeries(kinds.get(kind)!)] : []));
}

function within(series: readonly Series[], fromMs: number, toMs: number): Series[] {
  return series.flatMap((one) => {
    const from = lowerBound(one.timesMs, fromMs);
    const to = lowerBound(one.timesMs, toMs);
    return from === to ? [] : [sliceSeries(one, from, to)];
  });
}

interface Stored {
  tag: number;
  slot: number;
  body: Uint8Array;
  tier: Uint8Array | null;
}

function bySlot(rows: readonly Stored[]): Map<string, Stored[]> {
  const slots = new Map<string, Stored[]>();
  for (const row of rows) {
    const key = `${row.tag}/${row.slot}`;
    const known = slots.get(key);
    if (known) known.push(row);
    else slots.set(key, [row]);
  }
  return slots;
}

/** What is wrong with the figures; empty when nothing is. */
export async function faultsOfFigures(sql: SQL): Promise<string[]> {
  const faults: string[] = [];
  const expected = new Map<string, string>();
  const hours: Stored[] = await sql`
    SELECT tag_no::int AS tag, hour_no AS slot, body, minutes AS tier FROM history_hour ORDER BY tag_no, hour_no, part`;
  const days: Stored[] = await sql`
    SELECT h.tag_no::int AS tag, h.day_no AS slot, h.body, m.body AS tier FROM history h
    LEFT JOIN minute_tier m USING (tag_no, day_no, class_no) ORDER BY h.tag_no, h.day_no, h.part`;
  const closed = bySlot(days);
  const check = (key: string, rows: readonly Stored[]): Series[] => {
    const series = kindsOf(rows.map(({ body }) => body));
    const stored = rows[0]!.tier;
    const want = textOf(tierOfSeries(series, MINUTE_MS));
    if (stored === null || textOf(decodeTier(stored, zstd)) !== want)
      faults.push(`minutes of ${key} are not its samples'`);
    return series;
  };
  const expectHour = (tag: number, hour: number, series: readonly Series[]) => {
    const row = rollupOf({ tagNo: tag, hourNo: hour, classNo: 0 }, tierOfSeries(series, MINUTE_MS), series);
    expected.set(`${tag}/${hour}`, rollupText(row as unknown as Record<string, unknown>));
  };
  for (const [key, rows] of bySlot(hours)) {
    const { tag, slot } = rows[0]!;
    const series = check(`hour ${key}`, rows);
    if (!closed.has(`${tag}/${Math.floor(slot / 24)}`)) expectHour(tag, slot, series);
  }
  for (const [key, rows] of closed) {
    const { tag, slot } = rows[0]!;
    const series = check(`day ${key}`, rows);
    const from = hourOf(slot * DAY_MS);
    for (let hour = from; hour < from + 24; hour++) {
      const part = within(series, hour * HOUR_MS, (hour + 1) * HOUR_MS);
      if (part.length > 0) expectHour(tag, hour, part);
    }
  }
  const rollups: Record<string, unknown>[] = await sql`
    SELECT *, tag_no::int AS tag, (extract(epoch FROM hour) / 3600)::int AS slot FROM rollup_hour`;
  for (const row of rollups) {
    const key = `${row.tag}/${row.slot}`;
    if (expected.get(key) !== rollupText(row))
      faults.push(`rollup ${key} is ${rollupText(row)}, not ${expected.get(key)}`);
    expected.delete(key);
  }
  for (const key of expected.keys()) faults.push(`rollup ${key} is missing or there twice`);
  return faults;
}

const FIGURES = ["min", "max", "sum", "first", "last", "weighted", "n", "uncertain", "bad"] as const;

/** -0 and what overflowed are not told apart from 0 and nothing in a plain table. */
const rollupText = (row: Record<string, unknown>): string =>
  FIGURES.map((name) => {
    const value = row[name] as number | null;
    return value === null || !Number.isFinite(value) ? null : value + 0;
  }).join(" ");
