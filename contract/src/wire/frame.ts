import { COMPRESSIONS, type CompressionName } from "../block/compression.ts";
import { BLOCK_VERSION } from "../block/layout.ts";
import { AppError } from "../error/app-error.ts";
import { crc32c } from "../std/crc32c.ts";
import { LIMITS } from "./limits.ts";
import type { Lane, StreamKey } from "./stream.ts";
import { VERSION } from "./version.ts";

/**
 * A frame: a sealed block, or the record of a gap, with its place in a stream (`delivery.md` 2.1). Sealed once; the
 * same bytes lie in the outbox, cross the wire and are kept in the journal. Little endian:
 *
 *  0  "MRF"            24  first seq  u64     56  wallMs     f64
 *  3  version     u8   32  last seq   u64     64  crc32c     u32
 *  4  kind        u8   40  samples    u32     68  body
 *  5  lane        u8   44  bootNo     u32
 *  6  clock       u8   48  monoMs     f64
 *  7  block version u8, 8 compression u8, 9 reserved (3 × 0), 12 epoch u32, 16 seg u32, 20 body bytes u32
 *
 * The CRC covers bytes 0..63 and the body.
 */
export const FRAME_HEADER_BYTES = 68;
const CRC_AT = 64;
const MAGIC = [0x4d, 0x52, 0x46] as const;

/**
 * `data` holds samples; `gap` says that samples are missing; `rollup` holds summaries in place of samples; `events` holds
 * what happened at the gateway (lane E). Append only.
 */
export const FRAME_KINDS = ["data", "gap", "rollup", "events"] as const;
/** `unknown`: a kind that only a newer program makes. It is read so that it can be kept for a newer hub, never sealed. */
export type FrameKind = (typeof FRAME_KINDS)[number] | "unknown";

/** What stood behind the gateway's clock when the frame was sealed, from worst to best. */
export const CLOCK_QUALITIES = ["none", "rtc", "ntp", "hub"] as const;
export type ClockQuality = (typeof CLOCK_QUALITIES)[number];

const LANES = ["E", "H", "L"] as const satisfies readonly Lane[];

export interface FrameHeader extends StreamKey {
  kind: FrameKind;
  epoch: number;
  /** Sequence numbers the frame covers; the same for data. */
  first: number;
  last: number;
  /** Samples in the body; of a gap: samples lost; of a rollup: samples it stands for; of events: events. */
  sampleCount: number;
  bootNo: number;
  /** Monotonic and wall time of sealing. */
  monoMs: number;
  wallMs: number;
  clockQuality: ClockQuality;
  /** Block version of the body; 0 for a gap and for events. */
  blockVersion: number;
  compression: CompressionName;
}

/** A frame that lies somewhere in `bytes`; header and body are read, nothing is copied. */
export interface FrameView {
  header: FrameHeader;
  body: Uint8Array;
  /** The whole frame as sealed: what is stored and sent on. */
  bytes: Uint8Array;
  crc32c: number;
}

/** Values a data frame's header always has; spread them and add the rest. */
export const DATA_FRAME = { kind: "data", blockVersion: BLOCK_VERSION } as const;

/**
 * Makes the immutable bytes of a frame.
 * @throws AppError `frame.tooLarge` for a body above `frameBodyBytesMax`, `internal.bug` for a header that breaks its
 * own rules: the caller's mistake, since nothing from outside gets here.
 */
export function sealFrame(header: FrameHeader, body: Uint8Array): Uint8Array {
  if (body.length > LIMITS.frameBodyBytesMax)
    throw tooLarge("body of a frame", body.length, LIMITS.frameBodyBytesMax);
  const fault = header.kind === "unknown" ? "its kind is unknown" : faultOf(header);
  if (fault) throw new AppError("internal.bug", `A frame cannot be sealed: ${fault}`);
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  bytes.set(MAGIC);
  bytes[3] = VERSION.frame;
  bytes[4] = (FRAME_KINDS as readonly FrameKind[]).indexOf(header.kind);
  bytes[5] = LANES.indexOf(header.lane);
  bytes[6] = CLOCK_QUALITIES.indexOf(header.clockQuality);
  bytes[7] = header.blockVersion;
  bytes[8] = COMPRESSIONS.indexOf(header.compression);
  const view = new DataView(bytes.buffer);
  view.setUint32(12, header.epoch, true);
  view.setUint32(16, header.seg, true);
  view.setUint32(20, body.length, true);
  setSafe(view, 24, header.first);
  setSafe(view, 32, header.last);
  view.setUint32(40, header.sampleCount, true);
  view.setUint32(44, header.bootNo, true);
  view.setFloat64(48, header.monoMs, true);
  view.setFloat64(56, header.wallMs, true);
  bytes.set(body, FRAME_HEADER_BYTES);
  view.setUint32(CRC_AT, crc32c(body, crc32c(bytes.subarray(0, CRC_AT))), true);
  return bytes;
}

/**
 * Reads the header at `offset` without judging the CRC, so that a garbled frame can still be refused by its number.
 * Trust nothing of it before `readFrame` agrees.
 * @throws AppError `frame.garbled`, `frame.tooLarge`
 */
export function readFrameHeader(
  bytes: Uint8Array,
  offset = 0,
): { header: FrameHeader; bodyBytes: number; crc32c: number } {
  if (offset < 0 || bytes.length - offset < FRAME_HEADER_BYTES)
    throw garbled(`a header has ${FRAME_HEADER_BYTES} bytes, ${bytes.length - offset} are left`);
  if (MAGIC.some((byte, i) => bytes[offset + i] !== byte)) throw garbled('it does not begin with "MRF"');
  if (bytes[offset + 3] !== VERSION.frame)
    throw garbled(`it has version ${bytes[offset + 3]}, this program reads ${VERSION.frame}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, FRAME_HEADER_BYTES);
  const kind = FRAME_KINDS[view.getUint8(4)] ?? "unknown";
  const lane = LANES[view.getUint8(5)];
  const clockQuality = CLOCK_QUALITIES[view.getUint8(6)];
  const compression = COMPRESSIONS[view.getUint8(8)];
  if (!lane) throw garbled(`lane ${view.getUint8(5)} is unknown`);
  if (!clockQuality) throw garbled(`clock quality ${view.getUint8(6)} is unknown`);
  if (!compression) throw garbled(`compression ${view.getUint8(8)} is unknown`);
  if (view.getUint8(9) !== 0 || view.getUint16(10, true) !== 0) throw garbled("reserved bytes are not zero");
  const header: FrameHeader = {
    kind,
    lane,
    clockQuality,
    compression,
    blockVersion: view.getUint8(7),
    epoch: view.getUint32(12, true),
    seg: view.getUint32(16, true),
    first: getSafe(view, 24),
    last: getSafe(view, 32),
    sampleCount: view.getUint32(40, true),
    bootNo: view.getUint32(44, true),
    monoMs: view.getFloat64(48, true),
    wallMs: view.getFloat64(56, true),
  };
  const bodyBytes = view.getUint32(20, true);
  if (bodyBytes > LIMITS.frameBodyBytesMax)
    throw tooLarge("body of a frame", bodyBytes, LIMITS.frameBodyBytesMax);
  const fault = faultOf(header);
  if (fault) throw garbled(fault);
  return { header, bodyBytes, crc32c: view.getUint32(CRC_AT, true) };
}

/**
 * Reads and verifies the frame at `offset`; bytes may follow it.
 * @throws AppError `frame.garbled` (with lane, seg and seq in the context when the header was readable),
 * `frame.tooLarge`
 */
export function readFrame(bytes: Uint8Array, offset = 0): FrameView {
  const { header, bodyBytes, crc32c: announced } = readFrameHeader(bytes, offset);
  const end = offset + FRAME_HEADER_BYTES + bodyBytes;
  if (end > bytes.length)
    throw garbled(
      `its body has ${bodyBytes} bytes, ${bytes.length - offset - FRAME_HEADER_BYTES} are left`,
      header,
    );
  const body = bytes.subarray(offset + FRAME_HEADER_BYTES, end);
  const found = crc32c(body, crc32c(bytes.subarray(offset, offset + CRC_AT)));
  if (found !== announced)
    throw garbled(`its CRC-32C is ${found.toString(16)}, announced ${announced.toString(16)}`, header);
  return { header, body, bytes: bytes.subarray(offset, end), crc32c: announced };
}

/** What no header may say; null when all is well. */
function faultOf(header: FrameHeader): string | null {
  const { first, last, epoch, seg, bootNo, sampleCount } = header;
  if (!(isWhole(first, 1, Number.MAX_SAFE_INTEGER) && isWhole(last, first, Number.MAX_SAFE_INTEGER)))
    return `it covers the numbers ${first} to ${last}`;
  if (header.kind === "data" && first !== last) return `data covers one number, not ${first} to ${last}`;
  for (const [name, value] of Object.entries({ epoch, seg, bootNo }))
    if (!isWhole(value, 1, 0xffff_ffff)) return `${name} ${value} is not within 1..4294967295`;
  if (!isWhole(sampleCount, 0, 0xffff_ffff)) return `sample count ${sampleCount} is no 32-bit number`;
  if (header.kind === "data" && sampleCount > LIMITS.blockSamplesMax)
    return `${sampleCount} samples are above the limit of ${LIMITS.blockSamplesMax}`;
  if (!Number.isFinite(header.monoMs) || !Number.isFinite(header.wallMs)) return "its times are no numbers";
  if (!isWhole(header.blockVersion, 0, 255)) return `block version ${header.blockVersion} is no byte`;
  return null;
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function setSafe(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

/** May return more than a safe integer; `faultOf` refuses that. */
function getSafe(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

function garbled(what: string, header?: FrameHeader): AppError {
  const context = header ? { lane: header.lane, seg: header.seg, seq: header.first } : {};
  return new AppError("frame.garbled", `A frame is garbled: ${what}`, { context });
}

function tooLarge(what: string, found: number, max: number): AppError {
  return new AppError("frame.tooLarge", `The ${what} has ${found} bytes; the limit is ${max}`, {
    context: { found, max },
  });
}

/**
 * Joins frames, in order, to an envelope: consecutive frames of one stream, one behind the other without anything
 * between. It has no identity of its own, so a retry may group the same frames differently. A binary message of the
 * uplink is one envelope.
 *
 * @throws AppError `frame.tooLarge` above `envelopeBytesMax` or `envelopeFramesMax`; `frame.gap` or `frame.garbled`
 * when the frames are not consecutive frames of one stream
 */
export function joinEnvelope(frames: readonly Uint8Array[]): Uint8Array {
  const total = frames.reduce((sum, frame) => sum + frame.length, 0);
  checkEnvelopeSize(total, frames.length);
  const bytes = new Uint8Array(total);
  let before: FrameHeader | null = null;
  let at = 0;
  for (const frame of frames) {
    const { header } = readFrameHeader(frame);
    checkOrder(before, header);
    before = header;
    bytes.set(frame, at);
    at += frame.length;
  }
  return bytes;
}

/**
 * Splits an envelope into verified frames, as views.
 * @throws AppError `frame.tooLarge`, `frame.gap`, `frame.garbled`. `lane`, `seg` and `seq` in the context name the
 * frame at fault where its header was readable.
 */
export function splitEnvelope(bytes: Uint8Array): FrameView[] {
  const frames: FrameView[] = [];
  checkEnvelopeSize(bytes.length, 1);
  let at = 0;
  let before: FrameHeader | null = null;
  do {
    checkEnvelopeSize(bytes.length, frames.length + 1);
    const frame = readFrame(bytes, at);
    checkOrder(before, frame.header);
    before = frame.header;
    frames.push(frame);
    at += frame.bytes.length;
  } while (at < bytes.length);
  return frames;
}

function checkEnvelopeSize(bytes: number, frames: number): void {
  if (bytes > LIMITS.envelopeBytesMax || frames > LIMITS.envelopeFramesMax)
    throw new AppError(
      "frame.tooLarge",
      `An envelope has at most ${LIMITS.envelopeBytesMax} bytes and ${LIMITS.envelopeFramesMax} frames; found ${bytes} bytes, ${frames} frames or more`,
    );
  if (frames === 0) throw new AppError("frame.garbled", "An envelope holds at least one frame");
}

function checkOrder(before: FrameHeader | null, header: FrameHeader): void {
  if (!before) return;
  const context = { lane: header.lane, seg: header.seg, seq: header.first };
  if (header.lane !== before.lane || header.seg !== before.seg || header.epoch !== before.epoch)
    throw new AppError("frame.garbled", "An envelope holds frames of one stream; found two", { context });
  if (header.first !== before.last + 1)
    throw new AppError(
      "frame.gap",
      `Frame ${header.first} follows ${before.last}; ${before.last + 1} was due`,
      {
        context: { ...context, expected: before.last + 1 },
      },
    );
}
