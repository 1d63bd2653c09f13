import { AppError } from "../error/app-error.ts";
import { type FrameHeader, type FrameView, readFrame, readFrameHeader } from "./frame.ts";
import { LIMITS } from "./limits.ts";

/**
 * An envelope: consecutive frames of one stream, one behind the other without anything between. It has no identity of
 * its own, so a retry may group the same frames differently. A binary message of the uplink is one envelope.
 */

/**
 * Joins frames in order.
 * @throws AppError `frame.tooLarge` above `envelopeBytesMax` or `envelopeFramesMax`; `frame.gap` or `frame.garbled`
 * when the frames are not consecutive frames of one stream
 */
export function joinEnvelope(frames: readonly Uint8Array[]): Uint8Array {
  const total = frames.reduce((sum, frame) => sum + frame.length, 0);
  checkSize(total, frames.length);
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
  checkSize(bytes.length, 1);
  let at = 0;
  let before: FrameHeader | null = null;
  do {
    checkSize(bytes.length, frames.length + 1);
    const frame = readFrame(bytes, at);
    checkOrder(before, frame.header);
    before = frame.header;
    frames.push(frame);
    at += frame.bytes.length;
  } while (at < bytes.length);
  return frames;
}

function checkSize(bytes: number, frames: number): void {
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
    throw new AppError("frame.gap", `Frame ${header.first} follows ${before.last}; ${before.last + 1} was due`, {
      context: { ...context, expected: before.last + 1 },
    });
}
