import { AppError } from "../error/app-error.ts";
import { LIMITS } from "../wire/limits.ts";
import { ByteReader } from "./bytes.ts";
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

/** What a block says of itself before it is decompressed. */
export interface BlockHeader {
  version: number;
  compression: Compression["name"];
  rawBytes: number;
  seriesCount: number;
  sampleCount: number;
  /** Since version 2; otherwise 0. Noise, behind the body. */
  plainBytes: number;
  /** Since version 2; otherwise 0. Times as a part of their own, before the body: raw and stored size. */
  timesRawBytes: number;
  timesBytes: number;
}

/**
 * Reads and checks the header.
 * @throws AppError `block.garbled`, `block.version`, `block.limit`
 */
export function readBlockHeader(bytes: Uint8Array): BlockHeader {
  if (bytes.length < BLOCK_HEADER_BYTES)
    throw new AppError(
      "block.garbled",
      `A block has at least ${BLOCK_HEADER_BYTES} bytes; found ${bytes.length}`,
    );
  if (BLOCK_MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new AppError("block.garbled", 'A block begins with "MRB"; found other bytes');
  const version = bytes[3]!;
  if (version !== BLOCK_VERSION && version !== BLOCK_VERSION_2)
    throw new AppError(
      "block.version",
      `Block version ${version}; this program reads versions ${BLOCK_VERSION} and ${BLOCK_VERSION_2}`,
    );
  if (bytes.length < headerBytesOf(version))
    throw new AppError("block.garbled", `A block of version ${version} ends within its header`);
  const compression = COMPRESSIONS[bytes[4]!];
  if (!compression) throw new AppError("block.version", `Unknown block compression ${bytes[4]}`);
  if (bytes[5] !== 0 || bytes[6] !== 0 || bytes[7] !== 0)
    throw new AppError("block.garbled", "Reserved bytes of the block header are not zero");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const header = {
    version,
    compression,
    rawBytes: view.getUint32(8, true),
    seriesCount: view.getUint32(12, true),
    sampleCount: view.getUint32(16, true),
    plainBytes: version === BLOCK_VERSION_2 ? view.getUint32(20, true) : 0,
    timesRawBytes: version === BLOCK_VERSION_2 ? view.getUint32(24, true) : 0,
    timesBytes: version === BLOCK_VERSION_2 ? view.getUint32(28, true) : 0,
  };
  const rawBytes = header.rawBytes + header.plainBytes + header.timesRawBytes;
  checkLimit("raw bytes", rawBytes, LIMITS.blockRawBytesMax);
  checkLimit("series", header.seriesCount, LIMITS.blockSeriesMax);
  checkLimit("samples", header.sampleCount, LIMITS.blockSamplesMax);
  if (header.seriesCount > header.sampleCount)
    throw new AppError(
      "block.garbled",
      `${header.seriesCount} series cannot have ${header.sampleCount} samples: none may be empty`,
    );
  return header;
}

function headerBytesOf(version: number): number {
  return version === BLOCK_VERSION_2 ? BLOCK_HEADER_2_BYTES : BLOCK_HEADER_BYTES;
}

function checkLimit(what: string, found: number, max: number): void {
  if (found > max)
    throw new AppError("block.limit", `A block announces ${found} ${what}; the limit is ${max}`, {
      context: { what, found, max },
    });
}

/** The sections of a block, none of them read yet. */
export interface OpenBlock {
  header: BlockHeader;
  sections: Record<Section, ByteReader>;
  /** Null in version 1, which keeps no noise apart. */
  plain: ByteReader | null;
}

/**
 * Reads the header, decompresses and finds the sections.
 * @throws AppError `block.garbled`, `block.version`, `block.limit`
 */
export function openBlock(bytes: Uint8Array, compression: Compression): OpenBlock {
  const header = readBlockHeader(bytes);
  const timesStart = headerBytesOf(header.version);
  const bodyStart = timesStart + header.timesBytes;
  const bodyEnd = bytes.length - header.plainBytes;
  if (bodyEnd < bodyStart)
    throw new AppError("block.garbled", `The parts of a block of ${bytes.length} bytes overlap`);
  const body = bytes.subarray(bodyStart, bodyEnd);
  if (header.version === BLOCK_VERSION) {
    const raw = header.compression === "none" ? body : decompress(body, header.rawBytes, header, compression);
    return { header, sections: readSections(checkSize(raw, header.rawBytes)), plain: null };
  }
  const sections = readSections(partOf(body, header.rawBytes, header, compression));
  if (header.timesRawBytes > 0) {
    if (sections.times.remaining > 0) throw sections.times.garbled("stands twice in the block");
    const stored = bytes.subarray(timesStart, bodyStart);
    const times = partOf(stored, header.timesRawBytes, header, compression);
    sections.times = new ByteReader("times", times, 0, times.length);
  }
  return { header, sections, plain: new ByteReader("plain", bytes, bodyEnd, bytes.length) };
}

/** A part of version 2: one that did not shrink is stored as it is, whatever the others are. */
function partOf(
  stored: Uint8Array,
  rawBytes: number,
  header: BlockHeader,
  compression: Compression,
): Uint8Array {
  if (stored.length === rawBytes || header.compression === "none") return checkSize(stored, rawBytes);
  return checkSize(decompress(stored, rawBytes, header, compression), rawBytes);
}

function checkSize(raw: Uint8Array, rawBytes: number): Uint8Array {
  if (raw.length !== rawBytes)
    throw new AppError("block.garbled", `The body has ${raw.length} raw bytes; announced ${rawBytes}`);
  return raw;
}

function decompress(
  stored: Uint8Array,
  rawBytes: number,
  header: BlockHeader,
  compression: Compression,
): Uint8Array {
  if (compression.name !== header.compression)
    throw new AppError(
      "block.version",
      `The block is compressed with ${header.compression}; this program has ${compression.name}`,
    );
  try {
    return compression.decompress(stored, rawBytes);
  } catch (cause) {
    throw new AppError("block.garbled", `The ${header.compression} body does not decompress`, { cause });
  }
}

function readSections(raw: Uint8Array): Record<Section, ByteReader> {
  const table = new ByteReader("table", raw, 0, raw.length);
  const lengths = SECTIONS.map(() => table.varint());
  let start = table.position;
  const sections = {} as Record<Section, ByteReader>;
  SECTIONS.forEach((name, i) => {
    const end = start + lengths[i]!;
    if (end > raw.length)
      throw table.garbled(`gives "${name}" ${lengths[i]} bytes where ${raw.length - start} are left`);
    sections[name] = new ByteReader(name, raw, start, end);
    start = end;
  });
  if (start !== raw.length) throw table.garbled(`leaves ${raw.length - start} bytes without a section`);
  return sections;
}
