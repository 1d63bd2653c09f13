import type { Compression } from "@millrace/contract/block/compression";
import { encodeBlock } from "@millrace/contract/block/encode";
import type { Series } from "@millrace/contract/block/series";
import { AppError } from "@millrace/contract/error/app-error";
import { DATA_FRAME, type FrameHeader, sealFrame } from "@millrace/contract/wire/frame";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { StreamKey } from "@millrace/contract/wire/stream";

/** The one stream of lane L. Its numbers begin again at 1 in each session: nobody keeps these frames. */
export const SNAPSHOT_STREAM = { lane: "L", seg: 1 } as const satisfies StreamKey;

/** Tags encoded at a time: a few milliseconds of work, and with values of eight bytes well within a frame. */
const SERIES_MAX = 4_000;

export type SnapshotHeader = Pick<FrameHeader, "epoch" | "bootNo" | "monoMs" | "wallMs" | "clockQuality">;

/**
 * The latest values as frames of lane L, each made when it is asked for.
 * @param series one per tag, of one sample each
 * @throws AppError what `encodeBlock` throws
 */
export function* snapshotFrames(
  series: readonly Series[],
  header: SnapshotHeader,
  compression: Compression,
): Generator<Uint8Array, void> {
  let seq = 0;
  for (let at = 0; at < series.length; at += SERIES_MAX) {
    for (const { body, sampleCount } of bodies(series.slice(at, at + SERIES_MAX), compression)) {
      seq++;
      const place = { ...SNAPSHOT_STREAM, first: seq, last: seq };
      yield sealFrame(
        { ...header, ...place, ...DATA_FRAME, sampleCount, compression: compression.name },
        body,
      );
    }
  }
}

/** Long texts make a block too large for a frame; then it is halved until it fits. */
function* bodies(
  series: Series[],
  compression: Compression,
): Generator<{ body: Uint8Array; sampleCount: number }, void> {
  const body = tryEncode(series, compression);
  if (body !== null) {
    yield { body, sampleCount: series.reduce((sum, { timesMs }) => sum + timesMs.length, 0) };
    return;
  }
  // One value alone that does not fit stays out: the history brings it, or says why it cannot.
  if (series.length === 1) return;
  const half = series.length >> 1;
  yield* bodies(series.slice(0, half), compression);
  yield* bodies(series.slice(half), compression);
}

function tryEncode(series: Series[], compression: Compression): Uint8Array | null {
  try {
    const body = encodeBlock(series, compression);
    return body.byteLength <= LIMITS.frameBodyBytesMax ? body : null;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "block.limit") return null;
    throw thrown;
  }
}
