import type { OutboxStatus } from "@millrace/contract/vocabulary/gateway";
import { ROOM } from "../outbox/limits.ts";

/**
 * Bytes of history that fit before samples the hub has not are thinned, dropped or refused. What the hub has is freed
 * first and therefore counts as room, and so does no more of the disk than there is.
 * @param diskFreeBytes null when the disk could not be asked
 */
export function bytesRoom(
  {
    bytesQuota,
    bytesUnsent,
    bytesUsed,
    mode,
  }: Pick<OutboxStatus, "bytesQuota" | "bytesUnsent" | "bytesUsed" | "mode">,
  diskFreeBytes: number | null,
): number {
  const share = mode === undefined || mode === "thin-then-drop" ? ROOM.thinShare : ROOM.fullShare;
  // The part that is kept free for events is not history's.
  const inQuota = bytesQuota * (1 - ROOM.eventShare) * share - bytesUnsent;
  const onDisk = diskFreeBytes === null ? inQuota : diskFreeBytes + Math.max(0, bytesUsed - bytesUnsent);
  return Math.max(0, Math.floor(Math.min(inQuota, onDisk)));
}

/** How much had been written at one moment. */
export interface FillMark {
  monoMs: number;
  bytesWritten: number;
}

export const FILL = {
  /** A mark a minute, over an hour: long enough to even out scan cycles, short enough to follow a change. */
  everyMs: 60_000,
  marksMax: 61,
  /** Less says nothing about a day. */
  measuredMsMin: 60_000,
  dayMs: 86_400_000,
} as const;

/** The marks with another one, when it is time for one; the oldest beyond an hour go. */
export function withFillMark(marks: readonly FillMark[], mark: FillMark): readonly FillMark[] {
  const last = marks.at(-1);
  if (last !== undefined && mark.bytesWritten < last.bytesWritten) return [mark];
  if (last !== undefined && mark.monoMs - last.monoMs < FILL.everyMs) return marks;
  return [...marks, mark].slice(-FILL.marksMax);
}

/** What a day puts into the buffer at the rate since the oldest mark; null until that is known. */
export function bytesPerDay(marks: readonly FillMark[], now: FillMark): number | null {
  const oldest = marks[0];
  if (oldest === undefined || now.monoMs - oldest.monoMs < FILL.measuredMsMin) return null;
  const bytes = Math.max(0, now.bytesWritten - oldest.bytesWritten);
  return Math.round((bytes * FILL.dayMs) / (now.monoMs - oldest.monoMs));
}

/** Measures the rate from one look at the outbox to the next. */
export class FillMeter {
  #marks: readonly FillMark[] = [];

  /** The outbox's figures with the room that is left and the rate it goes at. */
  measured(outbox: OutboxStatus, monoMs: number, diskFreeBytes: number | null): OutboxStatus {
    const mark = { monoMs, bytesWritten: outbox.bytesWritten ?? 0 };
    this.#marks = withFillMark(this.#marks, mark);
    return {
      ...outbox,
      bytesRoom: bytesRoom(outbox, diskFreeBytes),
      bytesPerDay: bytesPerDay(this.#marks, mark),
    };
  }
}
