import type { BlockColumns } from "../block/columns.ts";
import type { Compression } from "../block/compression.ts";
import { decodeColumns } from "../block/decode.ts";
import { encodeBlock } from "../block/encode.ts";
import type { Series } from "../block/series.ts";
import { AppError } from "../error/app-error.ts";

/** Samples are thinned per tag and per stretch of this length, aligned to whole minutes UTC. */
export const ROLLUP_MS = 60_000;

/**
 * Body of a rollup frame: what is left of the samples of its range after thinning (`delivery.md` 2.6). Three blocks,
 * each of the format of `docs/block-format.md`, little endian:
 *
 *  0  bytes of `kept`   u32
 *  4  bytes of `means`  u32
 *  8  kept, means, counts
 */
export interface Rollup<Columns> {
  /** True samples that stay: of each tag and minute the least, the greatest, the last, and each change of quality. */
  kept: Columns;
  /** Mean of the numeric samples that are not bad, one a tag and minute; the time is that of the first of them. */
  means: Columns;
  /** Samples each tag had in each minute, whatever their quality; the time is that of the first of them. */
  counts: Columns;
}

const PREFIX_BYTES = 8;

/** @throws AppError `block.invalid`, `block.limit` of the block codec. The caller keeps the sum within a frame. */
export function encodeRollup(rollup: Rollup<readonly Series[]>, compression: Compression): Uint8Array {
  const blocks = [rollup.kept, rollup.means, rollup.counts].map((series) => encodeBlock(series, compression));
  const bytes = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, PREFIX_BYTES));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, blocks[0]!.length, true);
  view.setUint32(4, blocks[1]!.length, true);
  let at = PREFIX_BYTES;
  for (const block of blocks) {
    bytes.set(block, at);
    at += block.length;
  }
  return bytes;
}

/** @throws AppError `block.garbled`, `block.version`, `block.limit` */
export function decodeRollup(body: Uint8Array, compression: Compression): Rollup<BlockColumns> {
  const [kept, means, counts] = rollupBlocks(body);
  return {
    kept: decodeColumns(kept, compression),
    means: decodeColumns(means, compression),
    counts: decodeColumns(counts, compression),
  };
}

/** The block of true samples alone, for readers that want nothing else. @throws AppError `block.garbled` */
export const keptBlock = (body: Uint8Array): Uint8Array => rollupBlocks(body)[0];

function rollupBlocks(body: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
  if (body.length < PREFIX_BYTES)
    throw new AppError("block.garbled", `A rollup begins with ${PREFIX_BYTES} bytes; found ${body.length}`);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const keptEnd = PREFIX_BYTES + view.getUint32(0, true);
  const meansEnd = keptEnd + view.getUint32(4, true);
  if (meansEnd > body.length)
    throw new AppError("block.garbled", `A rollup announces ${meansEnd} bytes; found ${body.length}`);
  return [body.subarray(PREFIX_BYTES, keptEnd), body.subarray(keptEnd, meansEnd), body.subarray(meansEnd)];
}
