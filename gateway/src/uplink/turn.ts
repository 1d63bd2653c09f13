import { LIMITS } from "@millrace/contract/wire/limits";
import { ENVELOPES_IN_FLIGHT_MAX, type LaneState, type LinkSettings, type UpState } from "./state.ts";
import { inFlightBytes, roomOf } from "./window.ts";

/** Current data owes the backlog one byte for so many of its own: 10 % of the line, so that a backlog always ends. */
const LIVE_BYTES_PER_BACKLOG_BYTE = 9;
/** The backlog collects a turn of this size; smaller ones would cost an envelope and an ack for a single frame each. */
const TURN_BYTES = 16 * 1024;
/** Frames are not cut, so a turn may be overdrawn by one; more than that is spare room, which costs nothing. */
const DEBT_BYTES_MAX = LIMITS.frameBodyBytesMax;

export interface Turn {
  lane: LaneState;
  bytesMax: number;
}

/**
 * Whose frames are read next; null when nothing is ready or nothing has room. E strictly first, then the current
 * segment of H, then the backlog with what remains, but no less than its share.
 */
export function nextTurn(up: UpState, settings: LinkSettings, nowMs: number): Turn | null {
  if (up.creditBytes === 0) return null;
  const room = roomOf(up, settings);
  // A window smaller than one frame must not stop the stream: with nothing in flight one frame always goes.
  const idle = inFlightBytes(up) === 0;
  const due = up.backlogDueBytes >= TURN_BYTES;
  for (const lane of due ? dueOrder(up.lanes) : up.lanes) {
    if (!lane.more || lane.pauseUntilMs > nowMs || lane.inFlight.length >= ENVELOPES_IN_FLIGHT_MAX) continue;
    const dueBytes = Math.min(room.dueBytes, up.backlogDueBytes);
    const bytes = !lane.backlog ? room.liveBytes : due ? dueBytes : room.spareBytes;
    if (bytes <= 0 && !idle) continue;
    return { lane, bytesMax: Math.max(1, Math.min(LIMITS.envelopeBytesMax, bytes)) };
  }
  return null;
}

/** The order while the backlog is owed a turn: E, backlog, current H. */
const dueOrder = (lanes: readonly LaneState[]): LaneState[] => [
  ...lanes.filter((lane) => lane.lane === "E"),
  ...lanes.filter((lane) => lane.backlog),
  ...lanes.filter((lane) => lane.lane !== "E" && !lane.backlog),
];

/** What the backlog is owed after `bytes` of a lane were sent. Lane E takes no part: it has all of the line it needs. */
export function backlogDueAfter(up: UpState, sent: LaneState, bytes: number): number {
  const due = up.backlogDueBytes;
  if (sent.lane === "E") return due;
  if (sent.backlog) return due > 0 ? Math.max(due - bytes, -DEBT_BYTES_MAX) : due;
  if (!up.lanes.some((lane) => lane.backlog && lane.more)) return due;
  return Math.min(due + bytes / LIVE_BYTES_PER_BACKLOG_BYTE, LIMITS.envelopeBytesMax);
}
