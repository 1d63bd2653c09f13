import type { Compression } from "@millrace/contract/block/compression";
import { encodeBlock } from "@millrace/contract/block/encode";
import type { Series } from "@millrace/contract/block/series";
import { AppError } from "@millrace/contract/error/app-error";
import { DATA_FRAME, type FrameHeader, sealFrame } from "@millrace/contract/wire/frame";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { StreamKey } from "@millrace/contract/wire/stream";

/** The one stream of lane L. Its numbers begin again at 1 in each session: nobody keeps these frames. */
export const SNAPSHOT_STREAM = { lane: "L", seg: 1 } as const satisfies StreamKey;

/** Tags encoded at a time: a few milliseconds of work. */
const SERIES_MAX = 4_000;
const BYTES_PER_TAG_START = 16;

export type SnapshotHeader = Pick<FrameHeader, "epoch" | "bootNo" | "monoMs" | "wallMs" | "clockQuality">;

/** The latest values as frames of lane L, each made when its turn has come. */
export class SnapshotFrames {
  readonly #series: readonly Series[];
  readonly #header: SnapshotHeader;
  readonly #compression: Compression;
  #at = 0;
  #seq = 0;
  #bytesPerTag = BYTES_PER_TAG_START;

  /** @param series one per tag, of one sample each */
  constructor(series: readonly Series[], header: SnapshotHeader, compression: Compression) {
    this.#series = series;
    this.#header = header;
    this.#compression = compression;
  }

  /**
   * The next frame, of about `bytesAim` and never above the limit; null when all are told. A tag whose value alone is
   * too large stays out: the history brings it, or says why it cannot.
   * @throws AppError `block.invalid` for a value that cannot be stored
   */
  next(bytesAim: number): Uint8Array | null {
    let tags = Math.max(1, Math.min(SERIES_MAX, Math.floor(bytesAim / this.#bytesPerTag)));
    while (this.#at < this.#series.length) {
      const part = this.#series.slice(this.#at, this.#at + tags);
      const body = this.#tryEncode(part);
      if (body === null && part.length > 1) {
        tags = part.length >> 1;
        continue;
      }
      this.#at += part.length;
      if (body === null) continue;
      this.#bytesPerTag = Math.max(1, body.byteLength / part.length);
      return this.#seal(body, part);
    }
    return null;
  }

  /** Null when it is too large for one frame. */
  #tryEncode(part: readonly Series[]): Uint8Array | null {
    try {
      const body = encodeBlock(part, this.#compression);
      return body.byteLength <= LIMITS.frameBodyBytesMax ? body : null;
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === "block.limit") return null;
      throw thrown;
    }
  }

  #seal(body: Uint8Array, part: readonly Series[]): Uint8Array {
    this.#seq++;
    const sampleCount = part.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
    const place = { ...SNAPSHOT_STREAM, first: this.#seq, last: this.#seq };
    const compression = this.#compression.name;
    return sealFrame({ ...this.#header, ...place, ...DATA_FRAME, sampleCount, compression }, body);
  }
}
