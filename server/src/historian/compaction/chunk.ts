import { type BlockColumns, seriesOfColumns } from "@millrace/contract/block/columns";
import type { Compression } from "@millrace/contract/block/compression";
import { decodeColumns } from "@millrace/contract/block/decode";
import { encodeBlock, encodeColumns } from "@millrace/contract/block/encode";
import type { Series } from "@millrace/contract/block/series";
import { AppError } from "@millrace/contract/error/app-error";
import { zstd } from "../../ingest/zstd.ts";
import { sliceSeries } from "./merge.ts";

/** The one place that knows in which block format, and how hard compressed, the history is stored. */

/** Version 2 packs values and times closer, and pays from about this many samples a series on. */
const PACKED_SAMPLES_MIN = 32;

const formatOf = (samples: number, series: number) =>
  ({ version: samples >= PACKED_SAMPLES_MIN * series ? 2 : 1 }) as const;

/** One stored block of series; at most one of a tag and kind. @throws AppError `block.limit` | `block.invalid` */
export const encodeChunk = (series: readonly Series[], compression: Compression): Uint8Array =>
  encodeBlock(
    series,
    compression,
    formatOf(
      series.reduce((sum, { timesMs }) => sum + timesMs.length, 0),
      series.length,
    ),
  );

/** `encodeChunk` for columns that are flat already. */
export const encodeChunkColumns = (columns: BlockColumns, compression: Compression): Uint8Array =>
  encodeColumns(columns, compression, formatOf(columns.sampleCount, columns.seriesCount));

/** The series are views on shared columns: keep one, keep all. @throws AppError `block.*` */
export const decodeChunk = (bytes: Uint8Array): Series[] => seriesOfColumns(decodeChunkColumns(bytes));

/** @throws AppError `block.*` */
export const decodeChunkColumns = (bytes: Uint8Array): BlockColumns => decodeColumns(bytes, zstd);

export interface Part {
  series: Series;
  body: Uint8Array;
}

/**
 * One series in order of time as blocks of about equal length, none above `samplesMax`. Long texts can be too much for
 * one block at any number of samples; then it is halved until it fits.
 */
export function encodeParts(series: Series, samplesMax: number, compression: Compression): Part[] {
  const count = series.timesMs.length;
  const parts = Math.ceil(count / samplesMax);
  const each = Math.ceil(count / parts);
  const done: Part[] = [];
  for (let from = 0; from < count; from += each)
    encodeFitting(sliceSeries(series, from, Math.min(count, from + each)), compression, done);
  return done;
}

function encodeFitting(series: Series, compression: Compression, into: Part[]): void {
  const count = series.timesMs.length;
  try {
    into.push({ series, body: encodeChunk([series], compression) });
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "block.limit" || count === 1) throw thrown;
    const middle = count >>> 1;
    encodeFitting(sliceSeries(series, 0, middle), compression, into);
    encodeFitting(sliceSeries(series, middle, count), compression, into);
  }
}
