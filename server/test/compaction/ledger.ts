import { seriesOfColumns } from "@millrace/contract/block/columns";
import { decodeBlock } from "@millrace/contract/block/decode";
import { KIND, type Series } from "@millrace/contract/block/series";
import type { SQL } from "bun";
import { decodeChunk } from "../../src/historian/compaction/chunk.ts";
import { PLACE } from "../../src/historian/compaction/sift.ts";
import { DAY_MS } from "../../src/historian/slot.ts";
import { storedColumns } from "../../src/ingest/open-frame.ts";
import { zstd } from "../../src/ingest/zstd.ts";
import { FUTURE_MS_MAX } from "../../src/modules/latest/cache.ts";
import { isWriter, OFFSET_MS, type SentFrame } from "./plant.ts";

/** One sample as text that differs when a single bit does, and the time it is ordered by. */
export interface Entry {
  timeMs: number;
  text: string;
}

/** Samples of each tag and kind, and those that have no place. */
export interface Ledger {
  placed: Map<string, Entry[]>;
  strays: string[];
}

const emptyLedger = (): Ledger => ({ placed: new Map(), strays: [] });

/** No run lasts long enough for this to move. */
const KEPT_DAYS = 400;

interface Source {
  gatewayNo: number | null;
  offsetMs: number;
  believedToMs: number;
  nowMs: number;
}

/** Of stored rows everything was decided already. */
const DECIDED = { gatewayNo: null, offsetMs: 0, believedToMs: Number.POSITIVE_INFINITY };

function enter(ledger: Ledger, series: Series, source: Source): void {
  const { tagNo, kind, timesMs, quality, nulls, receivedMs } = series;
  const words =
    kind === "text" || kind === "boolean"
      ? null
      : new BigUint64Array(series.values.buffer, series.values.byteOffset, series.values.length);
  for (let i = 0; i < timesMs.length; i++) {
    const timeMs = timesMs[i]! + source.offsetMs;
    const told = quality[i]!;
    const code = timeMs > source.believedToMs && told < 64 ? 65 : told;
    const value = nulls?.[i] ? null : words ? words[i] : series.values[i];
    const received = (receivedMs?.[i] ?? timesMs[i]!) + source.offsetMs;
    const text = `${tagNo} ${KIND[kind]} ${timeMs} ${code} ${value} ${received}`;
    if (isStray(source, tagNo, timeMs)) {
      ledger.strays.push(text);
      continue;
    }
    const key = `${tagNo}/${kind}`;
    const entries = ledger.placed.get(key);
    if (entries) entries.push({ timeMs, text });
    else ledger.placed.set(key, [{ timeMs, text }]);
  }
}

function isStray({ gatewayNo, nowMs }: Source, tagNo: number, timeMs: number): boolean {
  if (gatewayNo === null) return false;
  return (
    !isWriter(gatewayNo, tagNo) ||
    timeMs < PLACE.fromMs ||
    timeMs >= PLACE.toMs ||
    timeMs < nowMs - KEPT_DAYS * DAY_MS
  );
}

/** What was sent and should be there; frames of a boot whose times nobody knows wait. */
export function ledgerOfSent(sent: readonly SentFrame[], anchored: boolean, nowMs: number): Ledger {
  const ledger = emptyLedger();
  for (const { stream, series, receivedMs } of sent) {
    if (stream.clockNone && !anchored) continue;
    const source = {
      gatewayNo: stream.gatewayNo,
      offsetMs: stream.clockNone ? OFFSET_MS : 0,
      believedToMs: receivedMs + FUTURE_MS_MAX,
      nowMs,
    };
    for (const one of series) enter(ledger, one, source);
  }
  return settled(ledger);
}

/** What is there: all levels and the journal, in one snapshot, oldest level first. */
export async function ledgerOfStored(sql: SQL, nowMs: number): Promise<Ledger> {
  return await sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
    const ledger = emptyLedger();
    const bodies: { body: Uint8Array }[] = [
      ...(await tx`SELECT body FROM history ORDER BY tag_no, day_no, part`),
      ...(await tx`SELECT body FROM history_hour ORDER BY tag_no, hour_no, part`),
      ...(await tx`SELECT body FROM history_minutes ORDER BY id`),
    ];
    for (const { body } of bodies)
      for (const series of decodeChunk(body)) enter(ledger, series, { ...DECIDED, nowMs });
    const frames: { gateway_no: number; body: Uint8Array; offset_ms: number; received_ms: number }[] =
      await tx`
      SELECT gateway_no, body, offset_ms, (extract(epoch FROM received_at) * 1000)::float8 AS received_ms FROM journal
      WHERE kind IN ('data', 'rollup') AND NOT clock_none ORDER BY gateway_no, epoch, lane, seg, first`;
    for (const row of frames) {
      const source = {
        gatewayNo: row.gateway_no,
        offsetMs: row.offset_ms,
        believedToMs: row.received_ms + FUTURE_MS_MAX,
        nowMs,
      };
      for (const series of seriesOfColumns(storedColumns(row.body, zstd))) enter(ledger, series, source);
    }
    const strays: { body: Uint8Array }[] = await tx`SELECT body FROM history_stray`;
    const aside = emptyLedger();
    for (const { body } of strays)
      for (const series of decodeBlock(body, zstd)) enter(aside, series, { ...DECIDED, nowMs });
    for (const entries of aside.placed.values()) ledger.strays.push(...entries.map(({ text }) => text));
    return settled(ledger);
  });
}

/** In order of time; equal times as they came. */
function settled(ledger: Ledger): Ledger {
  for (const entries of ledger.placed.values()) entries.sort((a, b) => a.timeMs - b.timeMs);
  ledger.strays.sort();
  return ledger;
}

/** The first difference, in words; null when there is none. */
export function differenceOf(expected: Ledger, found: Ledger): string | null {
  const keys = new Set([...expected.placed.keys(), ...found.placed.keys()]);
  for (const key of keys) {
    const want = expected.placed.get(key) ?? [];
    const have = found.placed.get(key) ?? [];
    if (want.length !== have.length) return `${key}: ${want.length} samples expected, ${have.length} found`;
    const at = want.findIndex(({ text }, i) => text !== have[i]!.text);
    if (at >= 0) return `${key}, sample ${at}: expected ${want[at]!.text}, found ${have[at]!.text}`;
  }
  const at = expected.strays.findIndex((text, i) => text !== found.strays[i]);
  if (at >= 0 || expected.strays.length !== found.strays.length)
    return `strays: ${expected.strays.length} expected, ${found.strays.length} found, first at ${expected.strays[at]}`;
  return null;
}
