import { LIMITS } from "@millrace/contract/wire/limits";
import type { LinkAction, LinkSettings, StreamHead, UpState } from "./state.ts";
import { windowBytes } from "./window.ts";

/**
 * Lane L: while a backlog drains, the hub would show values from before the outage for every tag that has not changed
 * since. So the latest value of every tag goes ahead, once a session. These frames are not acknowledged and no window
 * counts them; instead one goes at a time, and the next only after the hub acknowledged something sent behind it. A
 * burst would fill a slow line for minutes and break the hub's credit.
 */

/** A smaller frame says little for its header and its ack. */
const FRAME_BYTES_MIN = 4 * 1024;
/** A frame takes a quarter of the window's time, so half a second: an event sealed meanwhile waits no longer. */
const FRAMES_PER_WINDOW = 4;

/** @param marks the hub's mark of each stream, in the order of `streams` */
export function snapshotAtWelcome(
  streams: readonly StreamHead[],
  marks: readonly number[],
): UpState["snapshot"] {
  const behind = streams.some((stream, index) => stream.backlog && marks[index]! + 1 < stream.next);
  return behind ? { at: "due" } : { at: "off" };
}

/** The next frame of the snapshot, when its turn has come: after all of lane E, before all of H. */
export function fillSnapshot(up: UpState, settings: LinkSettings): { up: UpState; actions: LinkAction[] } {
  if (up.snapshot.at === "off") return { up, actions: [] };
  // With the backlog the hub has got every value that the snapshot could tell.
  const drains = up.lanes.some((lane) => lane.backlog && (lane.more || lane.inFlight.length > 0));
  if (!drains) return { up: { ...up, snapshot: { at: "off" } }, actions: [] };
  const eventsWait = up.lanes.some((lane) => lane.lane === "E" && lane.more);
  if (up.snapshot.at === "waiting" || eventsWait || up.creditBytes === 0) return { up, actions: [] };
  const bytesAim = Math.floor(windowBytes(up, settings) / FRAMES_PER_WINDOW);
  return {
    up: { ...up, snapshot: { at: "waiting", behindNo: up.envelopeNo } },
    actions: [
      {
        do: "sendSnapshot",
        bytesAim: Math.max(FRAME_BYTES_MIN, Math.min(LIMITS.frameBodyBytesMax, bytesAim)),
      },
    ],
  };
}

/** @param ackedNo highest number of an envelope that was just acknowledged */
export function snapshotAtAck(snapshot: UpState["snapshot"], ackedNo: number): UpState["snapshot"] {
  return snapshot.at === "waiting" && ackedNo > snapshot.behindNo ? { at: "due" } : snapshot;
}
