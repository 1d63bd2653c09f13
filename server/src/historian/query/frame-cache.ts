import type { BlockColumns } from "@millrace/contract/block/columns";
import type { Clock } from "@millrace/contract/std/clock";
import { type StreamKey, streamText } from "@millrace/contract/wire/stream";

/** Identity of a frame in the journal. */
export interface FrameName extends StreamKey {
  gatewayNo: number;
  epoch: number;
  first: number;
}

/** What a frame costs beside its columns: objects, views, its place in the map. */
const FRAME_BYTES = 2_048;

const nameOf = (frame: FrameName): string =>
  `${frame.gatewayNo}/${frame.epoch}/${streamText(frame)}/${frame.first}`;

function bytesOf(columns: BlockColumns): number {
  let bytes =
    FRAME_BYTES + columns.timesMs.byteLength + columns.quality.byteLength + columns.doubles.byteLength;
  bytes += columns.booleans.byteLength + 10 * columns.seriesCount;
  bytes += (columns.nulls?.byteLength ?? 0) + (columns.receivedMs?.byteLength ?? 0);
  for (const texts of columns.texts ?? []) for (const text of texts) bytes += 2 * text.length + 16;
  return bytes;
}

interface Kept {
  columns: BlockColumns;
  offsetMs: number;
  bytes: number;
  /** When it was kept, on the monotonic clock. */
  atMs: number;
}

export interface FrameCacheLimits {
  bytesMax: number;
  /** Frames leave the journal within a minute; what is older is asked for by nobody. */
  ageMsMax: number;
}

/**
 * Decoded columns of the frames that came last, so that a question about the last minute reads no body from the
 * database. It proves nothing: which frames count, the journal alone says. The oldest go first.
 */
export class FrameCache {
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(
    private readonly limits: FrameCacheLimits,
    private readonly clock: Pick<Clock, "monoMs">,
  ) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** @param columns with `offsetMs` in their times; not to be changed any more */
  keep(frame: FrameName, columns: BlockColumns, offsetMs: number): void {
    const name = nameOf(frame);
    this.#forget(name);
    const atMs = this.clock.monoMs();
    const kept = { columns, offsetMs, bytes: bytesOf(columns), atMs };
    if (kept.bytes > this.limits.bytesMax) return;
    this.#kept.set(name, kept);
    this.#bytes += kept.bytes;
    for (const [oldest, { atMs: keptMs }] of this.#kept) {
      if (this.#bytes <= this.limits.bytesMax && atMs - keptMs <= this.limits.ageMsMax) break;
      this.#forget(oldest);
    }
  }

  /** The same, for frames that are not new: they push nothing out. */
  keepIfRoom(frame: FrameName, columns: BlockColumns, offsetMs: number): void {
    if (this.#bytes + bytesOf(columns) <= this.limits.bytesMax) this.keep(frame, columns, offsetMs);
  }

  /** Null when the frame is not kept, or its times were moved since. */
  find(frame: FrameName, offsetMs: number): BlockColumns | null {
    const kept = this.#kept.get(nameOf(frame));
    return kept !== undefined && kept.offsetMs === offsetMs ? kept.columns : null;
  }

  #forget(name: string): void {
    this.#bytes -= this.#kept.get(name)?.bytes ?? 0;
    this.#kept.delete(name);
  }
}
