import { AppError } from "../error/app-error.ts";
import { LIMITS } from "../wire/limits.ts";
import { ByteWriter } from "./bytes.ts";
import type { BlockColumns } from "./columns.ts";
import { COMPRESSIONS, type Compression } from "./compression.ts";
import {
  BLOCK_HEADER_2_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  BLOCK_VERSION,
  BLOCK_VERSION_2,
  SECTIONS,
  type Section,
} from "./layout.ts";

const raw = new ByteWriter();

/** Below this, the statistics of a second compressed part take more than its own statistics save. */
const TIMES_PART_BYTES_MIN = 2_048;

type SectionsOut = Record<Section, ByteWriter>;

/** Puts the sections of version 1 together, compresses them and puts the header before them. */
export function sealBlock1(columns: BlockColumns, out: SectionsOut, compression: Compression): Uint8Array {
  const body = joinSections(out, 0);
  let packed = compression.compress(body);
  let { name } = compression;
  if (packed.length >= body.length) {
    packed = body;
    name = "none";
  }
  const bytes = new Uint8Array(BLOCK_HEADER_BYTES + packed.length);
  writeHeader(bytes, BLOCK_VERSION, name, body.length, columns);
  bytes.set(packed, BLOCK_HEADER_BYTES);
  return bytes;
}

/**
 * The same for version 2: times, body, then `plain` as it is. Times have another distribution than values, and a
 * compressor that has one table of symbols for both is worse at either.
 */
export function sealBlock2(
  columns: BlockColumns,
  out: SectionsOut,
  plain: ByteWriter,
  compression: Compression,
): Uint8Array {
  let times: Uint8Array = new Uint8Array(0);
  let timesRawBytes = 0;
  if (out.times.length >= TIMES_PART_BYTES_MIN) {
    timesRawBytes = out.times.length;
    times = shorter(compression, out.times.view());
    out.times.length = 0;
  }
  const body = joinSections(out, plain.length + timesRawBytes);
  const packed = shorter(compression, body);
  const bytes = new Uint8Array(BLOCK_HEADER_2_BYTES + times.length + packed.length + plain.length);
  const stored = times.length === timesRawBytes && packed.length === body.length;
  writeHeader(bytes, BLOCK_VERSION_2, stored ? "none" : compression.name, body.length, columns);
  const header = new DataView(bytes.buffer);
  header.setUint32(20, plain.length, true);
  header.setUint32(24, timesRawBytes, true);
  header.setUint32(28, times.length, true);
  bytes.set(times, BLOCK_HEADER_2_BYTES);
  bytes.set(packed, BLOCK_HEADER_2_BYTES + times.length);
  bytes.set(plain.view(), bytes.length - plain.length);
  return bytes;
}

/** Compressed, or as it is where that would not shrink: the reader tells by the length. */
function shorter(compression: Compression, part: Uint8Array): Uint8Array {
  const packed = compression.compress(part);
  return packed.length < part.length ? packed : part;
}

function joinSections(out: SectionsOut, bytesElsewhere: number): Uint8Array {
  raw.reset();
  for (const name of SECTIONS) raw.varint(out[name].length);
  for (const name of SECTIONS) raw.append(out[name].view());
  if (raw.length + bytesElsewhere > LIMITS.blockRawBytesMax)
    throw new AppError(
      "block.limit",
      `A block of ${raw.length + bytesElsewhere} raw bytes is above the limit of ${LIMITS.blockRawBytesMax}`,
    );
  return raw.view();
}

function writeHeader(
  bytes: Uint8Array,
  version: number,
  name: Compression["name"],
  rawBytes: number,
  columns: BlockColumns,
): void {
  bytes.set(BLOCK_MAGIC);
  bytes[3] = version;
  bytes[4] = COMPRESSIONS.indexOf(name);
  const header = new DataView(bytes.buffer);
  header.setUint32(8, rawBytes, true);
  header.setUint32(12, columns.seriesCount, true);
  header.setUint32(16, columns.sampleCount, true);
}
