import { expect, test } from "bun:test";
import type { EnvelopeSeries } from "@millrace/contract/api/history";
import { EnvelopeSamples, RawSamples } from "@millrace/contract/api/history";
import type { Series } from "@millrace/contract/block/series";
import { type TagValue, valueToJson } from "@millrace/contract/vocabulary/value";
import { Check } from "@sinclair/typebox/value";
import { historyDeps } from "../../../test/history.ts";
import { Levels } from "../../../test/history-levels.ts";
import { type IngestHub, ingestHub } from "../../../test/ingest-hub.ts";
import { readRequest, type SamplesQuery } from "../../modules/samples/request.ts";
import { samplesAnswer } from "../../modules/samples/service.ts";

/** Envelopes of random histories, whose samples lie in every level, against the same computed here sample by sample. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Three days before the day these tests were written, long closed for every reader. */
const START = Date.UTC(2026, 10, 20);
const iso = (ms: number) => new Date(ms).toISOString();

/** Seeded chance, so that a failure comes again. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Kind = Series["kind"];
interface Row {
  timeMs: number;
  kind: Kind;
  value: TagValue;
  quality: number;
  /** Level it is put into: a bigger number goes in later. */
  order: number;
}

function someValue(kind: Kind, random: () => number): TagValue {
  switch (kind) {
    case "double":
      return random() < 0.03 ? Number.NaN : Math.round(random() * 2_000 - 1_000) / 10;
    case "int64":
      return random() < 0.1
        ? -(2n ** 63n)
        : random() < 0.1
          ? 2n ** 63n - 1n
          : BigInt(Math.floor(random() * 1e15));
    case "uint64":
      return random() < 0.1 ? 2n ** 64n - 1n : BigInt(Math.floor(random() * 1e15));
    case "boolean":
      return random() < 0.5;
    case "text":
      return ["run", "stop", "fault", "ünï 🙂"][Math.floor(random() * 4)]!;
  }
}

function rowsOf(kinds: (timeMs: number) => Kind, random: () => number, days: number): Row[] {
  const rows: Row[] = [];
  for (let timeMs = START; timeMs < START + days * DAY; timeMs += Math.floor(random() * 4 * MINUTE)) {
    // An hour without anything, each day.
    if ((timeMs - START) % DAY > 13 * HOUR && (timeMs - START) % DAY < 14.2 * HOUR) continue;
    const kind = kinds(timeMs);
    const bad = random() < 0.08;
    const value = random() < 0.03 ? null : someValue(kind, random);
    const quality = bad || value === null ? 131 : random() < 0.1 ? 64 : 0;
    rows.push({ timeMs, kind, value, quality, order: 0 });
  }
  return rows;
}

function seriesOf(tagNo: number, rows: readonly Row[]): Series[] {
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  return kinds.map((kind) => {
    const own = rows.filter((row) => row.kind === kind);
    const nulls = Uint8Array.from(own, ({ value }) => (value === null ? 1 : 0));
    const base = {
      tagNo,
      timesMs: Float64Array.from(own, ({ timeMs }) => timeMs),
      quality: Uint8Array.from(own, ({ quality }) => quality),
      nulls: nulls.some(Boolean) ? nulls : null,
      receivedMs: null,
    };
    const values = own.map(({ value }) => value);
    switch (kind) {
      case "double":
        return { ...base, kind, values: Float64Array.from(values, (v) => (v ?? 0) as number) };
      case "int64":
        return { ...base, kind, values: BigInt64Array.from(values, (v) => (v ?? 0n) as bigint) };
      case "uint64":
        return { ...base, kind, values: BigUint64Array.from(values, (v) => (v ?? 0n) as bigint) };
      case "boolean":
        return { ...base, kind, values: Uint8Array.from(values, (v) => Number(v ?? 0)) };
      default:
        return { ...base, kind: "text", values: values.map((v) => (v ?? "") as string) };
    }
  });
}

const KINDS: Record<string, (timeMs: number) => Kind> = {
  float64: () => "double",
  int64: () => "int64",
  uint64: () => "uint64",
  boolean: () => "boolean",
  text: () => "text",
  // Was a 64-bit integer at first, then text; is a double now.
  changed: (timeMs) =>
    timeMs < START + 15.5 * HOUR ? "int64" : timeMs < START + DAY + 9.5 * HOUR ? "text" : "double",
};

interface Plant {
  hub: IngestHub;
  tags: Map<string, { tagNo: number; rows: Row[] }>;
}

/** Late ones come in some hours, of each sort alone; the other hours, and the whole first day, are to be taken from figures. */
function lateness(timeMs: number): number {
  const hour = Math.floor((timeMs - START) / HOUR);
  return hour >= 24 && hour % 5 === 1 ? 1 + (Math.floor(hour / 5) % 3) : 0;
}

/** Four days: two closed, one closed by hours, one open; late samples of all but the first; the last in the journal. */
async function plant(hub: IngestHub, seed: number): Promise<Plant> {
  const random = chance(seed);
  const names = Object.keys(KINDS);
  const known = await hub.addGateway("G", names.length);
  const tags = new Map<string, { tagNo: number; rows: Row[] }>();
  const { sql } = hub.database;
  for (const [i, name] of names.entries()) {
    const tagNo = known.tagNos[i]!;
    const dataType = name === "changed" ? "float64" : name;
    await sql`UPDATE tag SET data_type = ${dataType} WHERE tag_no = ${tagNo}`;
    const rows = rowsOf(KINDS[name]!, random, 4).filter(
      ({ timeMs }) => timeMs < START + 3 * DAY + 11.3 * HOUR,
    );
    for (const row of rows) row.order = random() < 0.2 ? lateness(row.timeMs) : 0;
    tags.set(name, { tagNo, rows });
  }
  const levels = new Levels(hub.database, known.gatewayNo, known.tagNos);
  const put = async (wanted: (row: Row) => boolean, into: "minutes" | "journal") => {
    for (const { tagNo, rows } of tags.values()) {
      const chosen = rows.filter(wanted);
      if (chosen.length > 0) await levels[into](seriesOf(tagNo, chosen));
    }
  };
  const closeHours = async (from: number, to: number) => {
    for (let hour = from; hour < to; hour++) await levels.closeHour(Math.floor(START / HOUR) + hour);
  };
  const journalFrom = START + 3 * DAY + 10.9 * HOUR;
  await put((row) => row.order === 0 && row.timeMs < journalFrom, "minutes");
  await closeHours(0, 24 + 24 + 24 + 10);
  for (const day of [0, 1]) await levels.closeDay(Math.floor(START / DAY) + day);
  // Late ones: merged into hours of a closed day, then into nothing yet, then still in the journal.
  await put((row) => row.order === 1, "minutes");
  await closeHours(30, 33);
  await closeHours(60, 63);
  await put((row) => row.order === 2, "minutes");
  await put((row) => row.order === 3 || (row.order === 0 && row.timeMs >= journalFrom), "journal");
  return { hub, tags };
}

interface Expected {
  timesMs: number[];
  count: number[];
  uncertain: number[];
  bad: number[];
  min: TagValue[];
  max: TagValue[];
  avg: (number | null)[];
  first: TagValue[];
  last: TagValue[];
}

const numeric = (value: TagValue): boolean => typeof value !== "string" && value !== null;

function expectedOf(rows: readonly Row[], fromMs: number, toMs: number, intervalMs: number): Expected {
  const sorted = rows
    .filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs)
    .sort((a, b) => a.timeMs - b.timeMs || a.order - b.order);
  const buckets = new Map<number, Row[]>();
  for (const row of sorted) {
    const startMs = Math.floor(row.timeMs / intervalMs) * intervalMs;
    const bucket = buckets.get(startMs);
    if (bucket) bucket.push(row);
    else buckets.set(startMs, [row]);
  }
  const all = [...buckets].map(([startMs, bucket]) => {
    const usable = bucket.filter(
      ({ quality, value }) =>
        quality < 128 && value !== null && !(typeof value === "number" && Number.isNaN(value)),
    );
    const values = usable.map(({ value }) => (typeof value === "boolean" ? Number(value) : value));
    const numbers = values.filter(numeric) as (number | bigint)[];
    const least = numbers.reduce<TagValue>((a, b) => (a === null || b < (a as number) ? b : a), null);
    const most = numbers.reduce<TagValue>((a, b) => (a === null || b > (a as number) ? b : a), null);
    const sum = numbers.reduce<number>((a, b) => a + Number(b), 0);
    return {
      startMs,
      count: usable.length,
      uncertain: usable.filter(({ quality }) => quality >= 64).length,
      bad: bucket.length - usable.length,
      min: least,
      max: most,
      avg: numbers.length === 0 ? null : sum / usable.length,
      first: values[0] ?? null,
      last: values.at(-1) ?? null,
    };
  });
  const column = <K extends keyof (typeof all)[number]>(name: K) => all.map((each) => each[name]);
  return {
    timesMs: column("startMs"),
    count: column("count"),
    uncertain: column("uncertain"),
    bad: column("bad"),
    min: column("min"),
    max: column("max"),
    avg: column("avg"),
    first: column("first"),
    last: column("last"),
  };
}

function compare(found: EnvelopeSeries, expected: Expected, what: string): void {
  const json = (values: readonly TagValue[]) => values.map(valueToJson);
  const { timesMs, count, uncertain, bad, first, last } = found;
  expect([what, timesMs.map(iso)]).toEqual([what, expected.timesMs.map(iso)]);
  expect([what, count, uncertain, bad]).toEqual([what, expected.count, expected.uncertain, expected.bad]);
  expect([what, first, last]).toEqual([what, json(expected.first), json(expected.last)]);
  if (found.min === null) return expect(found.dataType).toBe("text");
  expect([what, found.min, found.max]).toEqual([what, json(expected.min), json(expected.max)]);
  for (const [i, avg] of found.avg!.entries()) {
    const wanted = expected.avg[i]!;
    // Sums of doubles depend on their order in the last bits.
    if (wanted === null) expect([what, avg]).toEqual([what, null]);
    else expect(Math.abs(Number(avg) - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * 1e-9 + 1e-9);
  }
}

async function ask(hub: IngestHub, query: SamplesQuery) {
  return await samplesAnswer(historyDeps(hub), readRequest(query, null, "whole"));
}

const RANGES: [number, number][] = [
  [0, 4 * DAY],
  [1, DAY - 1],
  [5 * HOUR + 17 * MINUTE + 3_456, 2 * DAY + 9 * HOUR + 41 * MINUTE + 12_003],
  [DAY + 5 * HOUR + 17 * MINUTE + 3_456, DAY + 9 * HOUR + 41 * MINUTE + 12_003],
  [3 * DAY + 9 * HOUR, 3 * DAY + 12 * HOUR],
  [31 * HOUR + 30_000, 31 * HOUR + 90_000],
  [-DAY, 10 * DAY],
];
const INTERVALS = ["1s", "30s", "1m", "7m", "15m", "1h", "5h", "6h", "1d", "2d"];

for (const seed of [1, 2, 3]) {
  test(`envelopes are those of the raw samples, whatever level they are in (seed ${seed})`, async () => {
    await using hub = await ingestHub();
    const { tags } = await plant(hub, seed);
    const numbers = [...tags.values()].map(({ tagNo }) => tagNo).join(",");
    const sources = new Set<string>();
    for (const [from, to] of RANGES) {
      for (const interval of INTERVALS) {
        const [fromMs, toMs] = [START + from, START + to];
        const shortest = interval.endsWith("s") && toMs - fromMs > 6 * HOUR;
        if (shortest) continue;
        const query = { tag: numbers, from: iso(fromMs), to: iso(toMs), interval };
        const answer = await ask(hub, query);
        if (answer.kind !== "envelope") throw new Error("no envelope");
        sources.add(answer.source);
        for (const [name, { tagNo, rows }] of tags) {
          const found = answer.series.find((series) => series.tagNo === tagNo)!;
          const expected = expectedOf(rows, fromMs, toMs, answer.intervalMs);
          compare(found, expected, `${name} ${interval} ${query.from} ${query.to}`);
        }
        expect(Check(EnvelopeSamples, JSON.parse(JSON.stringify(answer)))).toBe(true);
      }
    }
    expect([...sources].sort()).toEqual(["hour", "minute", "raw"]);
  }, 60_000);
}

test("raw samples come from every level once, in order, page by page", async () => {
  await using hub = await ingestHub();
  const { tags } = await plant(hub, 4);
  const numbers = [...tags.values()].map(({ tagNo }) => tagNo).join(",");
  const found = new Map<number, unknown[]>();
  let from: string | null = iso(START - DAY);
  for (let page = 0; from !== null; page++) {
    const query: SamplesQuery = {
      tag: numbers,
      from,
      to: iso(START + 9 * DAY),
      limit: page % 2 === 0 ? 700 : 3,
    };
    const answer = await ask(hub, query);
    if (answer.kind !== "raw") throw new Error("not raw");
    expect(Check(RawSamples, JSON.parse(JSON.stringify(answer)))).toBe(true);
    for (const { tagNo, timesMs, values } of answer.series)
      found.set(tagNo, [...(found.get(tagNo) ?? []), ...timesMs.map((ms, i) => [ms, values[i]])]);
    from = answer.nextFrom;
  }
  for (const [name, { tagNo, rows }] of tags) {
    const expected = [...rows]
      .sort((a, b) => a.timeMs - b.timeMs || a.order - b.order)
      .map(({ timeMs, value }) => [timeMs, valueToJson(value)]);
    expect([name, found.get(tagNo)]).toEqual([name, expected]);
  }
});
