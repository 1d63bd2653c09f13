import type { Goodput, LinkSettings, UpState } from "./state.ts";

/** Shorter stretches measure the clock's grain and the hub's habit of answering in bursts, not the line. */
const GOODPUT_MS_MIN = 100;
/** Weight of the newest stretch. */
const NEW_SHARE = 0.4;

export const freshGoodput = (nowMs: number): Goodput => ({ bytesPerMs: 0, ackedBytes: 0, sinceMs: nowMs });

/** An idle line measures nothing: the stretch begins with the envelope that ends the idleness. */
export const goodputAtSend = (goodput: Goodput, idle: boolean, nowMs: number): Goodput =>
  idle ? { ...goodput, ackedBytes: 0, sinceMs: nowMs } : goodput;

export function goodputAtAck(goodput: Goodput, bytes: number, idle: boolean, nowMs: number): Goodput {
  const ackedBytes = goodput.ackedBytes + bytes;
  const elapsedMs = nowMs - goodput.sinceMs;
  // A short exchange that ends in idleness still counts, or a line with small loads would never be measured.
  if (elapsedMs < GOODPUT_MS_MIN && !idle) return { ...goodput, ackedBytes };
  const rate = ackedBytes / Math.max(elapsedMs, 1);
  const bytesPerMs =
    goodput.bytesPerMs === 0 ? rate : goodput.bytesPerMs * (1 - NEW_SHARE) + rate * NEW_SHARE;
  return { bytesPerMs, ackedBytes: 0, sinceMs: nowMs };
}

/** Bytes that may be unacknowledged now: the hub's limit and ours, whichever is smaller. 0 is a pause. */
export function windowBytes(up: UpState, settings: LinkSettings): number {
  const ours = Math.max(settings.windowBytesStart, up.goodput.bytesPerMs * settings.windowMs);
  return Math.min(up.creditBytes, Math.floor(ours));
}

export function inFlightBytes(up: UpState): number {
  let bytes = 0;
  for (const lane of up.lanes) for (const envelope of lane.inFlight) bytes += envelope.bytes;
  return bytes;
}

export interface Room {
  liveBytes: number;
  /** For the backlog when nothing else waits. */
  spareBytes: number;
  /** For the backlog when it takes the share it is owed. */
  dueBytes: number;
}

/**
 * Bytes that may be sent now. The backlog fills no more than half of the window, and no more than is left of that half
 * by current data, so that a frame sealed at any moment waits behind half of the window's time.
 */
export function roomOf(up: UpState, settings: LinkSettings): Room {
  const window = windowBytes(up, settings);
  const half = Math.floor(window / 2);
  let backlog = 0;
  for (const lane of up.lanes) {
    if (lane.backlog) for (const envelope of lane.inFlight) backlog += envelope.bytes;
  }
  const all = inFlightBytes(up);
  return {
    liveBytes: window - all,
    spareBytes: half - all,
    dueBytes: Math.min(window - all, half - backlog),
  };
}
