import type { KnownFrame } from "@millrace/contract/wire/known-frames";
import type { StreamKey } from "@millrace/contract/wire/stream";
import { bridge } from "./bridge.ts";
import type { SealTime } from "./draft.ts";
import { type FrameRow, renumbered } from "./frame-row.ts";
import type { FrameStore, StoredFrame } from "./frame-store.ts";
import { quarantine } from "./quarantine.ts";

/** Frames moved in one transaction. */
const MOVE_BYTES = 1024 * 1024;

export interface KnownStream extends StreamKey {
  frames: readonly KnownFrame[];
  /** Everything up to here is at the hub; absent: everything acknowledged is. */
  from?: number | undefined;
}

export interface Renewal {
  /** Frames the hub had, although this gateway did not know. */
  framesKnown: number;
  /** Frames that got a number of the new epoch. */
  framesRenewed: number;
  /** The hub has numbers this gateway never gave: what was sealed then and not delivered is gone. */
  setBack: boolean;
}

/**
 * Moves what the hub has not got into a new epoch, under new numbers; what it names as known is forgotten, and so is
 * everything up to the mark it names (`delivery.md` 2.9). What this gateway should still bring and does not have any
 * more becomes a gap. Safe to be killed anywhere: until `enterEpoch` the old epoch counts, the hub names the same frames
 * again, and each frame lies in exactly one of the two.
 */
export function renewInto(
  store: FrameStore,
  epoch: number,
  known: readonly KnownStream[],
  at: SealTime,
): Renewal {
  const renewal: Renewal = { framesKnown: 0, framesRenewed: 0, setBack: false };
  for (const stream of store.streams()) {
    const listed = known.find(({ lane, seg }) => lane === stream.lane && seg === stream.seg);
    const from = Math.min(stream.acked, listed?.from ?? stream.acked);
    const crcOf = new Map(listed?.frames.map(({ first, crc }) => [first, crc]));
    renewal.setBack ||= listed?.frames.some(({ first }) => first >= stream.next) ?? false;
    // Begun before a kill: what is missing at the front has its new number already.
    if (store.nextIn(epoch, stream) === 1) bridge(store, stream, from, at);
    for (let after = from; ; ) {
      const rows = soundRows(store, stream, after, at);
      if (rows.length === 0) break;
      const moved: FrameRow[] = [];
      let next = store.nextIn(epoch, stream);
      for (const row of rows) {
        if (crcOf.get(row.first) === row.crc) {
          renewal.framesKnown++;
          continue;
        }
        const last = next + row.last - row.first;
        moved.push(renumbered(row, { epoch, lane: stream.lane, seg: stream.seg, first: next, last }));
        next = last + 1;
        renewal.framesRenewed++;
      }
      // What the hub has goes with the old epoch: were it gone before the first new number, a renewal that is begun again
      // after a kill would take it for missing.
      if (moved.length > 0) store.moveToEpoch(epoch, stream, rows[0]!.first, rows.at(-1)!.last, moved);
      after = rows.at(-1)!.last;
    }
  }
  store.enterEpoch(epoch);
  return renewal;
}

/** The next rows; a damaged one goes to quarantine first and leaves a gap, which moves like any other frame. */
function soundRows(store: FrameStore, stream: StreamKey, after: number, at: SealTime): StoredFrame[] {
  const rows = store.read(stream, after, MOVE_BYTES);
  const hit = rows.filter((row) => row.damaged !== null);
  for (const row of hit) quarantine(store, stream, row, row.damaged!, at);
  return hit.length === 0 ? rows : store.read(stream, after, MOVE_BYTES);
}
