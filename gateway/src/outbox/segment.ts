import type { SealTime } from "./draft.ts";
import type { FrameStore, StoredFrame, StreamState } from "./frame-store.ts";
import { SEGMENT } from "./limits.ts";
import type { StreamHead } from "./message.ts";

/** The stream new frames of a lane go to: its newest segment. */
export function currentStream(store: FrameStore, lane: "E" | "H"): StreamState {
  let current: StreamState | null = null;
  for (const stream of store.streams())
    if (stream.lane === lane && stream.seg > (current?.seg ?? 0)) current = stream;
  return current ?? store.stream({ lane, seg: 1 });
}

/** The frame sealed last of those that are still on disk and sound; null when there is none. */
export function newestRow(store: FrameStore): StoredFrame | null {
  let newest: StoredFrame | null = null;
  for (const stream of store.streams()) {
    const row = store.read(stream, stream.next - 2, 1)[0];
    if (row && row.damaged === null && row.wallMs > (newest?.wallMs ?? Number.NEGATIVE_INFINITY))
      newest = row;
  }
  return newest;
}

/**
 * Called before a hello: history that waited long stays in its segment and drains behind, the present gets a segment of
 * its own, so that a person sees live values at once and each stream still has no hole (`delivery.md` 2.1).
 */
export function beginSegment(store: FrameStore, at: SealTime): void {
  const current = currentStream(store, "H");
  const { frames, oldestWallMs } = store.unsent(current);
  if (frames === 0 || oldestWallMs === null) return;
  // The wall clock may have been set back meanwhile: many frames are a backlog whatever their times say.
  const waited = at.wallMs - oldestWallMs > SEGMENT.backlogMs || frames > SEGMENT.backlogMs / 250;
  if (!waited) return;
  const open = store.streams().filter(({ lane }) => lane === "H").length;
  if (open < SEGMENT.openMax) store.openSegment("H");
}

/** Closes the oldest segments that are delivered to their end and empty, as far as too many are listed. */
export function closeDrained(store: FrameStore): void {
  const history = store
    .streams()
    .filter(({ lane }) => lane === "H")
    .sort((a, b) => a.seg - b.seg);
  let tooMany = history.length - SEGMENT.listedMax;
  for (const stream of history.slice(0, -1)) {
    if (tooMany <= 0) return;
    if (stream.acked !== stream.next - 1 || store.low(stream) !== stream.next) continue;
    store.closeSegment(stream);
    tooMany--;
  }
}

/** Makes place for a further segment: lets go of what the oldest delivered one keeps for a restored hub. */
export function releaseOldest(store: FrameStore): void {
  const history = store.streams().filter(({ lane }) => lane === "H");
  if (history.length < SEGMENT.openMax) return;
  const delivered = history
    .filter((stream) => stream.acked === stream.next - 1 && stream.seg !== currentStream(store, "H").seg)
    .sort((a, b) => a.seg - b.seg)[0];
  if (delivered) store.evict(delivered, Number.POSITIVE_INFINITY, 1_024);
}

/** The streams as the hello lists them. */
export function headsOf(store: FrameStore): StreamHead[] {
  const current = currentStream(store, "H").seg;
  return store.streams().map(({ lane, seg, next, acked, maxSent }) => ({
    lane,
    seg,
    low: store.low({ lane, seg }),
    next,
    acked,
    sent: maxSent,
    backlog: lane === "H" && seg !== current,
  }));
}
