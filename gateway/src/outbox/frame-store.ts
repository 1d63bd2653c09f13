import type { Lane, StreamKey } from "@millrace/contract/wire/stream";
import type { Draft, SealTime } from "./draft.ts";
import type { FrameRow } from "./frame-row.ts";
import type { Receipt } from "./receipt.ts";

/** A stream as it stands, with the acknowledgement that may not be durable yet. */
export interface StreamState extends StreamKey {
  next: number;
  acked: number;
  /** Frames up to here may have left the gateway: nothing in that range may change any more. */
  maxSent: number;
}

/** A frame without its bytes. */
export interface FrameHead {
  first: number;
  last: number;
  kind: FrameRow["kind"];
  n: number;
  tMinMs: number | null;
  tMaxMs: number | null;
  wallMs: number;
}

export interface StoredFrame extends FrameRow {
  /** Why its bytes are not the frame they were sealed as; null when they are. */
  damaged: string | null;
}

/** What waits for the hub's acknowledgement in one stream. `samples` counts data and roll-ups. */
export interface UnsentFigures {
  frames: number;
  samples: number;
  bytes: number;
  oldestMs: number | null;
  oldestWallMs: number | null;
}

/** A frame put aside for a person. `meta` is JSON. */
export interface DeadFrame {
  meta: string;
  reason: string;
  atMs: number;
  body: Uint8Array;
}

/**
 * The durable half of the outbox. Each method is one transaction: it happens as a whole and is on disk when the call
 * returns, or it throws and nothing happened. The exceptions are the marks (`acknowledge`, `setAcked`), durable with
 * the next transaction: until then a crash only makes the hub see duplicates. Holds no policy.
 *
 * @throws `SQLITE_FULL` and its like in the error's `code` when the disk refuses.
 */
export interface FrameStore {
  /** Epoch of the numbers given now. */
  readonly epoch: number;
  streams(): readonly StreamState[];
  stream(key: StreamKey): StreamState;
  /** Adds the next segment of a lane, with a number never used before in this epoch. */
  openSegment(lane: Lane): StreamState;
  /** Forgets a stream that is acknowledged to its end and holds no frame. */
  closeSegment(key: StreamKey): void;
  /** Lowest sequence number on disk; the next one when there is none. */
  low(key: StreamKey): number;

  /** Seals, numbers and stores; the receipts of what is in the drafts go along. */
  append(key: StreamKey, drafts: readonly Draft[], at: SealTime, receipts?: readonly Receipt[]): void;
  /** The answer given under this name; null when none is known. */
  receipt(id: string): string | null;
  /** Puts a frame over numbers that were given but hold nothing any more. */
  insert(key: StreamKey, row: FrameRow): void;
  /** Consecutive frames after `afterSeq`, at least one if there is any, within the limits of an envelope. */
  read(key: StreamKey, afterSeq: number, bytesMax: number): StoredFrame[];
  heads(key: StreamKey, afterSeq: number, limit: number): FrameHead[];
  /** The frame whose range holds this number; null when none does. */
  covering(key: StreamKey, seq: number): FrameHead | null;
  unsent(key: StreamKey): UnsentFigures;

  /** Makes it durable that frames up to `last` may leave the gateway. */
  markSent(key: StreamKey, last: number): void;
  /** Cumulative. */
  acknowledge(key: StreamKey, hwm: number): void;
  /** A fresh session: the hub's mark is the truth, also when it is lower because the hub was restored. */
  setAcked(key: StreamKey, hwm: number): void;
  flushMarks(): void;

  /** Replaces the frames in [first, last] by one over the same numbers; `dead` keeps what was replaced. */
  replace(key: StreamKey, first: number, last: number, row: FrameRow, dead?: DeadFrame): void;
  /**
   * Deletes up to `limit` acknowledged frames from the front, up to the first that was sealed at or after
   * `beforeWallMs`; returns how many.
   */
  evict(key: StreamKey, beforeWallMs: number, limit: number): number;

  /** Next number of a stream in another epoch; 1 when it was not begun. */
  nextIn(epoch: number, key: StreamKey): number;
  /** Takes [first, last] out of a stream of this epoch and puts `rows`, numbered from `nextIn`, into another epoch. */
  moveToEpoch(epoch: number, from: StreamKey, first: number, last: number, rows: readonly FrameRow[]): void;
  /** From now on `epoch` counts; everything of earlier ones is forgotten. */
  enterEpoch(epoch: number): void;

  laneBytes(lane: Lane): number;
  bytesUsed(): number;
  dead(): { frames: number; bytes: number };
  /** Deletes the oldest `count` of the frames put aside. */
  trimDead(count: number): void;
  /** Gives a piece of the free space back to the disk. */
  vacuum(): void;
  /** Moves the log into the file, so that a full disk gets its space back. */
  checkpoint(): void;
  close(): void;
}

/** What of the outbox's folder is not the store itself. */
export interface OutboxDisk {
  hasStore(): boolean;
  /** Highest epoch of which numbers may have been given; 0 when none. */
  marker(): number;
  writeMarker(epoch: number): void;
  /**
   * Opens the store, or makes an empty one of this epoch.
   * @throws AppError `outbox.corrupt`, `outbox.failed`
   */
  open(bytesQuota: number, epochOfNew: number): FrameStore;
  /** Puts a damaged store out of the way, never deletes it. Returns its new name. */
  setAside(nowMs: number): string;
  /**
   * Makes a new store of every sound frame of the one set aside that the hub may not have, under the old numbers.
   * @returns null when nothing of its numbers can be trusted
   */
  salvage(aside: string, bytesQuota: number, at: SealTime): Salvage | null;
  makeBallast(): boolean;
  dropBallast(): boolean;
}

export interface Salvage {
  epoch: number;
  framesSaved: number;
  /** Numbers that hold a gap frame now. */
  framesLost: number;
}

/** Frames marked as sent ahead of need, so that a session does not cost one more flush per envelope. */
export const SENT_AHEAD = 256;
