import { expect, test } from "bun:test";
import type { Series } from "@millrace/contract/block/series";
import { parse } from "csv-parse/sync";
import { parquetReadObjects } from "hyparquet";
import { historyDeps } from "../../../test/history.ts";
import { Levels } from "../../../test/history-levels.ts";
import { type IngestHub, ingestHub } from "../../../test/ingest-hub.ts";
import { openExport, streamOf } from "./export.ts";
import { readRequest, type SamplesQuery } from "./request.ts";

const START = Date.UTC(2026, 10, 20);
const HOUR = 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString();
const base = (tagNo: number, timesMs: number[], quality = timesMs.map(() => 0)) => ({
  tagNo,
  timesMs: Float64Array.from(timesMs),
  quality: Uint8Array.from(quality),
  nulls: null,
  receivedMs: null,
});

/** Every kind and the values that are hard to write, in two levels, with a gap. */
async function plant(hub: IngestHub) {
  const { tagNos, gatewayNo } = await hub.addGateway('Line "A", north', 5);
  const [number, signed, unsigned, flag, text] = tagNos as [number, number, number, number, number];
  const levels = new Levels(hub.database, gatewayNo, tagNos);
  const times = [0, 1_000, 1_001, 2_000].map((ms) => START + ms);
  const series: Series[] = [
    {
      ...base(number, times, [0, 131, 64, 0]),
      kind: "double",
      values: Float64Array.of(0.1, 0, Number.NaN, -1e300),
      nulls: Uint8Array.of(0, 1, 0, 0),
    },
    {
      ...base(signed, times),
      kind: "int64",
      values: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n),
    },
    {
      ...base(unsigned, times),
      kind: "uint64",
      values: BigUint64Array.of(2n ** 64n - 1n, 2n ** 63n, 0n, 1n),
    },
    { ...base(flag, times), kind: "boolean", values: Uint8Array.of(1, 0, 1, 1) },
    { ...base(text, times), kind: "text", values: ['say "hi", you', "line\nbreak", " ", "ünï 🙂"] },
  ];
  await levels.minutes(series);
  await levels.closeHour(Math.floor(START / HOUR));
  await levels.minutes([{ ...base(number, [START + HOUR]), kind: "double", values: Float64Array.of(7) }]);
  await hub.database.sql`
    INSERT INTO gap (gateway_no, epoch, lane, seg, first, last, n, t_min, t_max, cause)
    VALUES (${gatewayNo}, 1, 'H', 1, 1, 2, 5, ${START + 1_500}, ${START + 1_700}, 'overflow')`;
  return { tagNos, number, signed, unsigned, flag, text };
}

async function bytesOf(hub: IngestHub, query: Partial<SamplesQuery> & { tag: string }): Promise<Uint8Array> {
  const whole: SamplesQuery = { from: iso(START - HOUR), to: iso(START + 2 * HOUR), ...query };
  const request = readRequest(whole, null, "whole");
  if (request.format === "json") throw new Error("not a stream");
  const gone = new AbortController();
  const opened = await openExport(historyDeps(hub), { ...request, format: request.format }, gone.signal);
  return new Uint8Array(await new Response(streamOf(opened, () => gone.abort())).arrayBuffer());
}

const textOf = async (hub: IngestHub, query: Partial<SamplesQuery> & { tag: string }) =>
  new TextDecoder().decode(await bytesOf(hub, query));

test("CSV reads back as what was stored, with the gap in its place", async () => {
  await using hub = await ingestHub();
  const { tagNos, number, signed, unsigned, flag, text } = await plant(hub);
  const csv = await textOf(hub, { tag: tagNos.join(","), format: "csv" });
  const rows: Record<string, string>[] = parse(csv, { columns: true, record_delimiter: "\r\n" });
  const of = (tagNo: number) =>
    rows.filter(({ tag, quality }) => tag === String(tagNo) && !quality!.startsWith("gap."));
  const values = (tagNo: number) => of(tagNo).map(({ value }) => value);
  expect(values(number)).toEqual(["0.1", "", "NaN", "-1e+300", "7"]);
  expect(of(number).map(({ quality }) => quality)).toEqual([
    "good",
    "bad.deviceTimeout",
    "uncertain.outOfRange",
    "good",
    "good",
  ]);
  expect(values(signed)).toEqual([String(-(2n ** 63n)), String(2n ** 63n - 1n), "0", "-1"]);
  expect(values(unsigned)).toEqual([String(2n ** 64n - 1n), String(2n ** 63n), "0", "1"]);
  expect(values(flag)).toEqual(["true", "false", "true", "true"]);
  expect(values(text)).toEqual(['say "hi", you', "line\nbreak", " ", "ünï 🙂"]);
  expect(rows[0]!.path).toBe('Plant/Line "A", north/T0');
  const gaps = rows.filter(({ quality }) => quality === "gap.overflow");
  expect(gaps).toHaveLength(5);
  expect(gaps[0]).toMatchObject({ time: iso(START + 1_500), until: iso(START + 1_700), value: "" });
  const times = rows.map(({ time }) => Date.parse(time!));
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test("NDJSON tells tags, samples, gaps and its end, each as a line of its own kind", async () => {
  await using hub = await ingestHub();
  const { tagNos, unsigned, number } = await plant(hub);
  const lines = (await textOf(hub, { tag: tagNos.join(","), format: "ndjson" }))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.slice(0, 5).map(({ kind, tagNo }) => [kind, tagNo])).toEqual(tagNos.map((no) => ["tag", no]));
  const samples = lines.filter(({ kind, tagNo }) => kind === "sample" && tagNo === unsigned);
  expect(samples.map(({ value }) => value)).toEqual([String(2n ** 64n - 1n), String(2n ** 63n), "0", "1"]);
  expect(lines.find(({ kind, tagNo }) => kind === "gap" && tagNo === number)).toEqual({
    kind: "gap",
    tagNo: number,
    from: iso(START + 1_500),
    to: iso(START + 1_700),
    cause: "overflow",
    samples: 5,
  });
  expect(lines.at(-1)).toEqual({ kind: "end", rows: 21, complete: true, cut: null, nextFrom: null });
});

test("Parquet holds every kind exactly", async () => {
  await using hub = await ingestHub();
  const { tagNos, number, signed, unsigned, flag, text } = await plant(hub);
  const bytes = await bytesOf(hub, { tag: tagNos.join(","), format: "parquet" });
  const file = bytes.buffer as ArrayBuffer;
  const rows = await parquetReadObjects({
    file: { byteLength: file.byteLength, slice: (a, b) => file.slice(a, b) },
  });
  const of = (tagNo: number, column: string) =>
    rows
      .filter(({ tag, quality }) => tag === BigInt(tagNo) && !String(quality).startsWith("gap."))
      .map((row) => row[column] ?? null);
  expect(of(number, "number")).toEqual([0.1, null, Number.NaN, -1e300, 7]);
  expect(of(signed, "integer")).toEqual([-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n]);
  expect(of(unsigned, "unsigned")).toEqual([2n ** 64n - 1n, 2n ** 63n, null, null]);
  expect(of(unsigned, "integer")).toEqual([null, null, 0n, 1n]);
  expect(of(flag, "boolean")).toEqual([true, false, true, true]);
  expect(of(text, "text")).toEqual(['say "hi", you', "line\nbreak", " ", "ünï 🙂"]);
  expect(of(number, "time")[0]).toEqual(new Date(START));
  expect(rows.filter(({ quality }) => quality === "gap.overflow")).toHaveLength(5);
});

/** A tag with so many samples that a stream needs several windows and more than fits a socket's buffer. */
async function long(hub: IngestHub, hours: number) {
  const { tagNos, gatewayNo } = await hub.addGateway("Long", 1);
  const levels = new Levels(hub.database, gatewayNo, tagNos);
  for (let hour = 0; hour < hours; hour++) {
    const times = Array.from({ length: 36_000 }, (_, i) => START + hour * HOUR + i * 100);
    await levels.minutes([{ ...base(tagNos[0]!, times), kind: "double", values: Float64Array.from(times) }]);
    await levels.closeHour(Math.floor(START / HOUR) + hour);
  }
  return tagNos[0]!;
}

test("a limit of rows ends a stream in words, no millisecond torn; the rest follows from there", async () => {
  await using hub = await ingestHub();
  const tagNo = await long(hub, 1);
  const ask = async (from: string) =>
    (await textOf(hub, { tag: String(tagNo), format: "ndjson", limit: 30_000, from }))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  const first = await ask(iso(START));
  expect(first.at(-1)).toEqual({
    kind: "end",
    rows: 30_000,
    complete: false,
    cut: "limit",
    nextFrom: iso(START + 3_000_000),
  });
  const second = await ask(first.at(-1).nextFrom);
  expect(second.at(-1)).toMatchObject({ rows: 6_000, complete: true });
  const csv = await textOf(hub, { tag: String(tagNo), format: "csv", limit: 2 });
  expect(csv.trimEnd().split("\r\n").at(-1)).toBe(`,,${iso(START + 200)},,cut.limit,`);
});

test("a client that goes stops the reading and gives everything back", async () => {
  await using hub = await ingestHub();
  const tagNo = await long(hub, 20);
  const deps = historyDeps(hub);
  const query = { tag: String(tagNo), from: iso(START), to: iso(START + 20 * HOUR), format: "csv" as const };
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const gone = new AbortController();
      request.signal.addEventListener("abort", () => gone.abort());
      const opened = await openExport(
        deps,
        { ...readRequest(query, null, "whole"), format: "csv" },
        gone.signal,
      );
      return new Response(streamOf(opened, () => gone.abort()));
    },
  });
  // As many times as there are places: one that is not given back would be missed.
  for (let round = 0; round < 6; round++) {
    const client = new AbortController();
    const response = await fetch(server.url, { signal: client.signal });
    const reader = response.body!.getReader();
    await reader.read();
    client.abort();
    await reader.read().catch(() => undefined);
  }
  const whole = await fetch(server.url);
  const text = await whole.text();
  expect(text.split("\r\n").length).toBe(20 * 36_000 + 2);
  await server.stop(true);
}, 30_000);
