import { describe, expect, test } from "bun:test";
import { type Compression, noCompression } from "../src/block/compression.ts";
import { decodeColumns } from "../src/block/decode.ts";
import { encodeBlock } from "../src/block/encode.ts";
import { BLOCK_HEADER_2_BYTES, BLOCK_HEADER_BYTES, type BlockVersion } from "../src/block/layout.ts";
import { AppError } from "../src/error/app-error.ts";
import type { Random } from "../src/std/clock.ts";
import { crc32c } from "../src/std/crc32c.ts";
import {
  DATA_FRAME,
  FRAME_HEADER_BYTES,
  joinEnvelope,
  readFrame,
  sealFrame,
  splitEnvelope,
} from "../src/wire/frame.ts";
import { LIMITS } from "../src/wire/limits.ts";
import { EXAMPLE_BLOCKS, EXAMPLE_BLOCKS_2 } from "./example-blocks.ts";
import { seededRandom } from "./random.ts";
import { zstd } from "./zstd.ts";

/** Bytes from outside end in a valid decode or in a coded error: never in anything else, never in much memory or time. */

const MUTATIONS = 10_000;
/** Far above what one input takes; a decoder that loops on a length field passes it by orders of magnitude. */
const INPUT_MS_MAX = 500;

const below = (random: Random, end: number) => Math.floor(random() * end);

/** One to four wounds: bits turned, bytes set, 32-bit fields set to an extreme, cut off, a piece of it or of a donor put elsewhere. */
function mutated(random: Random, given: Uint8Array, donor: Uint8Array): Uint8Array {
  let bytes = given.slice();
  for (let wounds = 1 + below(random, 4); wounds > 0 && bytes.length > 4; wounds--) {
    const at = below(random, bytes.length);
    switch (below(random, 6)) {
      case 0:
        bytes[at]! ^= 1 << below(random, 8);
        break;
      case 1:
        bytes[at] = below(random, 256);
        break;
      case 2: {
        const extreme = [0, 1, 0x7f, 0xff, 0xffff, 65_535, 65_536, 0x7fff_ffff, 0xffff_ffff][
          below(random, 9)
        ]!;
        new DataView(bytes.buffer).setUint32(Math.min(at, bytes.length - 4), extreme, true);
        break;
      }
      case 3:
        bytes = bytes.slice(0, at);
        break;
      case 4:
        bytes.copyWithin(at, below(random, bytes.length), below(random, bytes.length));
        break;
      default: {
        const from = below(random, donor.length);
        bytes.set(donor.subarray(from, from + Math.min(bytes.length - at, 1 + below(random, 64))), at);
      }
    }
  }
  return bytes;
}

interface Tally {
  decoded: number;
  refused: Map<string, number>;
}

/** Runs one input; anything but a return or an AppError whose code begins with `area` fails the test. */
function outcome(tally: Tally, area: string, run: () => void): void {
  const startedMs = performance.now();
  try {
    run();
    tally.decoded++;
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !thrown.code.startsWith(area)) throw thrown;
    expect(thrown.message.length).toBeGreaterThan(10);
    tally.refused.set(thrown.code, (tally.refused.get(thrown.code) ?? 0) + 1);
  }
  expect(performance.now() - startedMs).toBeLessThan(INPUT_MS_MAX);
}

function decodeWithinLimits(bytes: Uint8Array, compression: Compression): void {
  const columns = decodeColumns(bytes, compression);
  expect(columns.sampleCount).toBeLessThanOrEqual(LIMITS.blockSamplesMax);
  expect(columns.seriesCount).toBeLessThanOrEqual(columns.sampleCount);
  expect(columns.timesMs.length).toBe(columns.sampleCount);
  for (const texts of columns.texts ?? [])
    for (const text of texts) expect(text.length).toBeLessThanOrEqual(LIMITS.textBytesMax);
}

const headerBytesOf = (version: BlockVersion) => (version === 1 ? BLOCK_HEADER_BYTES : BLOCK_HEADER_2_BYTES);

/**
 * A block with `body` compressed afresh, so that damage reaches the columns and is not caught by the compressor. In
 * version 2 the noise and the times stay parts of their own, so `body` is what lies between them.
 */
function recompressed(block: Uint8Array, body: Uint8Array, version: BlockVersion): Uint8Array {
  const packed = zstd.compress(body);
  const { plain, times } = partsOf(block, version);
  const headerBytes = headerBytesOf(version);
  const bytes = new Uint8Array(headerBytes + times.length + packed.length + plain.length);
  bytes.set(block.subarray(0, headerBytes));
  bytes[4] = 1;
  new DataView(bytes.buffer).setUint32(8, body.length, true);
  bytes.set(times, headerBytes);
  bytes.set(packed, headerBytes + times.length);
  bytes.set(plain, bytes.length - plain.length);
  return bytes;
}

function partsOf(block: Uint8Array, version: BlockVersion) {
  const view = new DataView(block.buffer, block.byteOffset);
  const timesEnd = headerBytesOf(version) + (version === 1 ? 0 : view.getUint32(28, true));
  const plainStart = block.length - (version === 1 ? 0 : view.getUint32(20, true));
  return {
    times: block.subarray(headerBytesOf(version), timesEnd),
    body: block.subarray(timesEnd, plainStart),
    plain: block.subarray(plainStart),
  };
}

const blocksOf = (version: BlockVersion, compression: Compression) =>
  Object.values(version === 1 ? EXAMPLE_BLOCKS : EXAMPLE_BLOCKS_2).map((make) =>
    encodeBlock(make(), compression, { version }),
  );
const plain = blocksOf(1, noCompression);

describe.each<BlockVersion>([1, 2])("a damaged block of version %d", (version) => {
  const plain = blocksOf(version, noCompression);
  const zipped = blocksOf(version, zstd);
  const random = seededRandom(0x5eed);
  const pick = (list: Uint8Array[]) => list[below(random, list.length)]!;
  const tallyOf = (): Tally => ({ decoded: 0, refused: new Map() });

  test("as plain columns", () => {
    const tally = tallyOf();
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutated(random, pick(plain), pick(plain));
      outcome(tally, "block.", () => decodeWithinLimits(bytes, noCompression));
    }
    expect(tally.refused.get("block.garbled")).toBeGreaterThan(MUTATIONS / 10);
    expect(tally.decoded).toBeGreaterThan(MUTATIONS / 100);
  });

  test("damaged inside its compressed bytes", () => {
    const tally = tallyOf();
    for (let i = 0; i < MUTATIONS / 4; i++) {
      const bytes = mutated(random, pick(zipped), pick(zipped));
      outcome(tally, "block.", () => decodeWithinLimits(bytes, zstd));
    }
    expect(tally.refused.get("block.garbled")).toBeGreaterThan(MUTATIONS / 40);
  });

  test("damaged before it was compressed", () => {
    const tally = tallyOf();
    for (let i = 0; i < MUTATIONS; i++) {
      const block = pick(plain);
      const body = mutated(random, partsOf(block, version).body, pick(plain));
      const bytes = recompressed(block, body, version);
      outcome(tally, "block.", () => decodeWithinLimits(bytes, zstd));
    }
    expect(tally.refused.get("block.garbled")).toBeGreaterThan(MUTATIONS / 10);
    expect(tally.decoded).toBeGreaterThan(MUTATIONS / 100);
  });

  test("cut off at any byte", () => {
    for (const block of plain)
      for (let length = 0; length < block.length; length++)
        expect(() => decodeColumns(block.subarray(0, length), noCompression)).toThrow(AppError);
  });
});

describe("damaged frames and envelopes", () => {
  const random = seededRandom(0xf7a3e);
  const frames = plain.map((body, i) =>
    sealFrame(
      {
        ...DATA_FRAME,
        lane: "H",
        epoch: 3,
        seg: 1,
        first: i + 1,
        last: i + 1,
        sampleCount: 100,
        bootNo: 7,
        monoMs: 12.5,
        wallMs: 1_767_225_600_000,
        clockQuality: "ntp",
        compression: "none",
      },
      body,
    ),
  );
  const envelope = joinEnvelope(frames);

  test("are refused, with the CRC as it was and with one made to fit", () => {
    const tally: Tally = { decoded: 0, refused: new Map() };
    for (let i = 0; i < MUTATIONS; i++) {
      const frame = frames[below(random, frames.length)]!;
      const bytes = mutated(random, frame, envelope);
      if (i % 2 === 0 && bytes.length >= FRAME_HEADER_BYTES) {
        const header = crc32c(bytes.subarray(0, 64));
        const view = new DataView(bytes.buffer);
        const bodyEnd = FRAME_HEADER_BYTES + view.getUint32(20, true);
        view.setUint32(64, crc32c(bytes.subarray(FRAME_HEADER_BYTES, bodyEnd), header), true);
      }
      outcome(tally, "frame.", () => {
        expect(readFrame(bytes).body.length).toBeLessThanOrEqual(LIMITS.frameBodyBytesMax);
      });
    }
    expect(tally.refused.get("frame.garbled")).toBeGreaterThan(MUTATIONS / 10);
  });

  test("in envelopes too", () => {
    const tally: Tally = { decoded: 0, refused: new Map() };
    for (let i = 0; i < MUTATIONS; i++) {
      const bytes = mutated(random, envelope, envelope);
      outcome(tally, "frame.", () => {
        expect(splitEnvelope(bytes).length).toBeLessThanOrEqual(LIMITS.envelopeFramesMax);
      });
    }
    expect(tally.refused.get("frame.garbled")).toBeGreaterThan(MUTATIONS / 10);
  });

  test("any single bit turned is found", () => {
    const frame = frames[2]!.slice();
    for (let bit = 0; bit < frame.length * 8; bit++) {
      frame[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => readFrame(frame)).toThrow(AppError);
      frame[bit >> 3]! ^= 1 << (bit & 7);
    }
  });
});
