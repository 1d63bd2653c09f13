import type { HistoryPoint } from "../../history/columns.ts";
import { rawPoint } from "../../history/columns.ts";
import type { Received } from "../../hub/received.ts";

/** Values of one pen that came over the live socket and are in no answer yet. Some 70 minutes at one a second. */
export const TAIL_MAX = 4_096;

/** Appends a value; one that is not newer than the last (a new subscription repeats it) changes nothing. */
export function appendLive(tail: readonly HistoryPoint[], received: Received): readonly HistoryPoint[] {
  const { timeMs, value, quality } = received;
  const last = tail.at(-1);
  if (timeMs === null || (last !== undefined && timeMs <= last.timeMs)) return tail;
  const kept = tail.length >= TAIL_MAX ? tail.slice(tail.length - TAIL_MAX + 1) : tail;
  return [...kept, rawPoint(timeMs, value, quality)];
}

/** Without what an answer up to `toMs` has by now. One heartbeat of overlap bridges values still on their way. */
export function afterAnswer(
  tail: readonly HistoryPoint[],
  toMs: number,
  overlapMs: number,
): readonly HistoryPoint[] {
  const first = tail.findIndex((point) => point.timeMs > toMs - overlapMs);
  return first <= 0 ? (first === 0 ? tail : []) : tail.slice(first);
}
