import type { BlockColumns } from "@millrace/contract/block/columns";
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
}

/**
 * Decoded columns of the frames that came last, so that a question about the last minute reads no body from the
 * database. It proves nothing: which frames count, the journal alone says. The oldest go first.
 */
export class FrameCache {
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(private readonly bytesMax: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** @param columns with `offsetMs` in their times; not to be changed any more */
  keep(frame: FrameName, columns: BlockColumns, offsetMs: number): void {
    const name = nameOf(frame);
    this.#forget(name);
    const kept = { columns, offsetMs, bytes: bytesOf(columns) };
    if (kept.bytes > this.bytesMax) return;
    this.#kept.set(name, kept);
    this.#bytes += kept.bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.bytesMax) break;
      this.#forget(oldest);
    }
  }

  /** The same, for frames that are not new: they push nothing out. */
  keepIfRoom(frame: FrameName, columns: BlockColumns, offsetMs: number): void {
    if (this.#bytes + bytesOf(columns) <= this.bytesMax) this.keep(frame, columns, offsetMs);
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
