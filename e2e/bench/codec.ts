// The block codec on one core, beside two plain ways of writing the same samples: JSON and fixed-width rows.
import { zstdDecompressSync } from "node:zlib";
import { type Compression, noCompression } from "@millrace/contract/block/compression";
import { decodeBlock, decodeColumns } from "@millrace/contract/block/decode";
import { encodeBlock, encodeColumns } from "@millrace/contract/block/encode";
import type { Series } from "@millrace/contract/block/series";
import { HABITS, type Habit, plantSeries, samplesOf } from "./plant-data.ts";
import { type BenchRow, printRows } from "./report.ts";

const MEASURE_MS = 150;
const WARM_RUNS = 5;

const zstd: Compression = {
  name: "zstd",
  compress: (raw) => Bun.zstdCompressSync(raw, { level: 1 }),
  decompress: (bytes, rawBytesMax) =>
    zstdDecompressSync(bytes, { maxOutputLength: Math.max(rawBytesMax, 1) }),
};

/** Runs per second of `run`, after a few to warm up. */
function rateOf(run: () => unknown): number {
  for (let i = 0; i < WARM_RUNS; i++) run();
  const startedMs = performance.now();
  let runs = 0;
  do {
    run();
    runs++;
  } while (performance.now() - startedMs < MEASURE_MS);
  return (runs * 1_000) / (performance.now() - startedMs);
}

/** Rows [tag, time, value, quality] as JSON. */
function jsonRows(series: readonly Series[]): Uint8Array {
  const rows: unknown[] = [];
  for (const { tagNo, timesMs, values, quality, nulls } of series)
    for (let i = 0; i < timesMs.length; i++) {
      const value = values[i];
      rows.push([
        tagNo,
        timesMs[i],
        nulls?.[i] ? null : typeof value === "bigint" ? `${value}` : value,
        quality[i],
      ]);
    }
  return Bun.zstdCompressSync(JSON.stringify(rows), { level: 1 });
}

/** Rows of tag u32, time f64, value f64, quality u16; a text is its length and its bytes. */
function fixedRows(series: readonly Series[]): Uint8Array {
  const bytes = new Uint8Array(samplesOf(series) * 48);
  const view = new DataView(bytes.buffer);
  const encoder = new TextEncoder();
  let at = 0;
  for (const one of series) {
    for (let i = 0; i < one.timesMs.length; i++) {
      view.setUint32(at, one.tagNo, true);
      view.setFloat64(at + 4, one.timesMs[i]!, true);
      view.setUint16(at + 12, one.quality[i]!, true);
      at += 14;
      if (one.kind === "text") {
        const { written } = encoder.encodeInto(one.values[i]!, bytes.subarray(at + 1, at + 34));
        bytes[at] = written;
        at += 1 + written;
        continue;
      }
      if (one.kind === "int64") view.setBigInt64(at, one.values[i]!, true);
      else view.setFloat64(at, Number(one.values[i]!), true);
      at += 8;
    }
  }
  return Bun.zstdCompressSync(bytes.subarray(0, at), { level: 1 });
}

function measure(name: string, series: Series[], withBaselines: boolean): BenchRow[] {
  const samples = samplesOf(series);
  const raw = encodeBlock(series, noCompression).length / samples;
  const packed = encodeBlock(series, zstd);
  const bytesEach = packed.length / samples;
  const encoded = rateOf(() => encodeBlock(series, zstd)) * samples;
  const decoded = rateOf(() => decodeBlock(packed, zstd)) * samples;
  const rows: BenchRow[] = [
    { name: `${name}: encode, zstd`, value: encoded, unit: "samples/s" },
    { name: `${name}: decode, zstd`, value: decoded, unit: "samples/s" },
    { name: `${name}: size without zstd`, value: raw, unit: "bytes/sample" },
    { name: `${name}: size, zstd`, value: bytesEach, unit: "bytes/sample" },
  ];
  const fixed = fixedRows(series).length / samples;
  rows[3]!.ratio = bytesEach / fixed;
  rows[3]!.baseline = "fixed-width rows + zstd";
  if (!withBaselines) return rows;
  const jsonBytes = jsonRows(series);
  const columnsDecoded = rateOf(() => decodeColumns(packed, zstd)) * samples;
  const jsonEncoded = rateOf(() => jsonRows(series)) * samples;
  const fixedEncoded = rateOf(() => fixedRows(series)) * samples;
  const jsonDecoded = rateOf(() => JSON.parse(zstdDecompressSync(jsonBytes).toString())) * samples;
  rows.push(
    { name: `${name}: decode to columns, zstd`, value: columnsDecoded, unit: "samples/s" },
    { name: `${name}: JSON + zstd, encode`, value: jsonEncoded, unit: "samples/s" },
    { name: `${name}: JSON + zstd, decode`, value: jsonDecoded, unit: "samples/s" },
    { name: `${name}: JSON + zstd, size`, value: jsonBytes.length / samples, unit: "bytes/sample" },
    { name: `${name}: fixed rows + zstd, encode`, value: fixedEncoded, unit: "samples/s" },
    { name: `${name}: fixed rows + zstd, size`, value: fixed, unit: "bytes/sample" },
  );
  Object.assign(rows[0]!, { ratio: encoded / jsonEncoded, baseline: "JSON + zstd" });
  Object.assign(rows[1]!, { ratio: decoded / jsonDecoded, baseline: "JSON + zstd" });
  return rows;
}

/** A chunk as the historian keeps it: one tag, times with jitter of their own, beside the same in version 1. */
function measureChunk(habit: Habit, samplesEach: number): BenchRow[] {
  const series = plantSeries({ tags: 1, samplesEach, habit, tagsPerDevice: 1 });
  const first = encodeBlock(series, zstd).length / samplesEach;
  const packed = encodeBlock(series, zstd, { version: 2 });
  const columns = decodeColumns(packed, zstd);
  const encoded = rateOf(() => encodeColumns(columns, zstd, { version: 2 })) * samplesEach;
  const decoded = rateOf(() => decodeColumns(packed, zstd)) * samplesEach;
  const name = `v2, 1 x ${samplesEach.toLocaleString("en")} ${habit}`;
  const bytesEach = packed.length / samplesEach;
  return [
    { name: `${name}: encode, zstd`, value: encoded, unit: "samples/s" },
    { name: `${name}: decode to columns, zstd`, value: decoded, unit: "samples/s" },
    {
      name: `${name}: size, zstd`,
      value: bytesEach,
      unit: "bytes/sample",
      ratio: bytesEach / first,
      baseline: "v1",
    },
  ];
}

/** Speed and size for long series, for wide blocks and for the historian's chunks, mixed and for each habit. */
export async function benchCodec(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const long = { tags: 60, samplesEach: 1_000 };
  rows.push(...measure("60 x 1,000 mixed", plantSeries({ ...long, habit: "mixed" }), true));
  const alone = plantSeries({ ...long, habit: "mixed", tagsPerDevice: 1 });
  rows.push(...measure("60 x 1,000 mixed, own jitter", alone, false));
  for (const habit of HABITS)
    rows.push(...measure(`60 x 1,000 ${habit}`, plantSeries({ ...long, habit }), false));
  for (const samplesEach of [1, 2, 4]) {
    const wide = plantSeries({ tags: 2_500, samplesEach, habit: "mixed" });
    rows.push(...measure(`2,500 x ${samplesEach} mixed`, wide, samplesEach === 4));
  }
  for (const habit of HABITS) rows.push(...measureChunk(habit, 32_768));
  return rows;
}

if (import.meta.main) printRows("Block codec, one core", await benchCodec());
