import type { KnownFrame } from "@millrace/contract/wire/known-frames";
import type { StreamKey } from "@millrace/contract/wire/stream";
import { type FrameRow, renumbered } from "./frame-row.ts";
import type { FrameStore } from "./frame-store.ts";

/** Frames moved in one transaction. */
const MOVE_BYTES = 1024 * 1024;

export interface KnownStream extends StreamKey {
  frames: readonly KnownFrame[];
}

export interface Renewal {
  /** Frames the hub had, although this gateway did not know. */
  framesKnown: number;
  /** Frames that got a number of the new epoch. */
  framesRenewed: number;
}

/**
 * Moves what the hub has not got into a new epoch, under new numbers; what it names as known is forgotten, and so is
 * everything acknowledged (`delivery.md` 2.9). Safe to be killed anywhere: until `enterEpoch` the old epoch counts, the
 * hub names the same frames again, and each frame lies in exactly one of the two.
 */
export function renewInto(store: FrameStore, epoch: number, known: readonly KnownStream[]): Renewal {
  const renewal: Renewal = { framesKnown: 0, framesRenewed: 0 };
  for (const stream of store.streams()) {
    const listed = known.find(({ lane, seg }) => lane === stream.lane && seg === stream.seg);
    const crcOf = new Map(listed?.frames.map(({ first, crc }) => [first, crc]));
    let after = stream.acked;
    for (;;) {
      const rows = store.read(stream, after, MOVE_BYTES);
      if (rows.length === 0) break;
      const moved: FrameRow[] = [];
      let next = store.nextIn(epoch, stream);
      for (const row of rows) {
        if (crcOf.get(row.first) === row.crc) renewal.framesKnown++;
        // A damaged one is left behind: it could not be delivered, and its loss is told below.
        else if (row.damaged === null) {
          const last = next + row.last - row.first;
          moved.push(renumbered(row, { epoch, lane: stream.lane, seg: stream.seg, first: next, last }));
          next = last + 1;
          renewal.framesRenewed++;
        }
      }
      store.moveToEpoch(epoch, stream, rows[0]!.first, rows.at(-1)!.last, moved);
      after = rows.at(-1)!.last;
    }
  }
  store.enterEpoch(epoch);
  return renewal;
}
