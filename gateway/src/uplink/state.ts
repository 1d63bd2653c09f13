import type { AppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import type { Backoff } from "@millrace/contract/std/backoff";
import { UPLINK_BACKOFF } from "@millrace/contract/std/backoff";
import type { Challenge, CommandOffer, DownlinkMessage } from "@millrace/contract/wire/downlink";
import type { FieldRequest } from "@millrace/contract/wire/field";
import type { KnownFrame } from "@millrace/contract/wire/known-frames";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { SignedManifest } from "@millrace/contract/wire/manifest";
import type { Lane, StreamKey } from "@millrace/contract/wire/stream";
import type { UplinkMessage } from "@millrace/contract/wire/uplink";
import type { Static } from "@sinclair/typebox";

/** All times of the machine are monotonic milliseconds. */
export interface LinkSettings {
  helloMs: number;
  silenceMs: number;
  /** The oldest envelope may wait so long for its ack while the hub is otherwise heard; then we connect anew. */
  ackMs: number;
  backoff: Backoff;
  /** A retry never comes sooner: a hub that accepts and drops at once must not be hammered. */
  retryMsMin: number;
  /** The back-off begins anew after a session that lasted so long; a shorter one forgives a part of the early attempts. */
  stableMs: number;
  /** Pause after a refusal that a person must lift: uniform between the two. */
  refusedMs: { min: number; max: number };
  /** Unacknowledged bytes until the goodput is known. */
  windowBytesStart: number;
  /** Unacknowledged bytes are worth at most so much of the measured goodput: priority dies in a full socket. */
  windowMs: number;
  /** So many refusals of the same frame as garbled, and it goes to quarantine. */
  garbledMax: number;
  statusDebounceMs: number;
  busyMs: number;
}

export const LINK_SETTINGS: LinkSettings = {
  helloMs: LIMITS.helloMs,
  silenceMs: LIMITS.silenceMs,
  ackMs: 60_000,
  backoff: UPLINK_BACKOFF,
  retryMsMin: 50,
  stableMs: 60_000,
  refusedMs: { min: 300_000, max: 3_600_000 },
  windowBytesStart: 16 * 1024,
  windowMs: 2_000,
  garbledMax: 3,
  statusDebounceMs: 250,
  busyMs: 1_000,
};

/** Envelopes that may wait for an ack, whatever their size. */
export const ENVELOPES_IN_FLIGHT_MAX = 256;

/** What a hello says of one stream, and what we know of it besides. */
export interface StreamHead extends StreamKey {
  low: number;
  next: number;
  acked: number;
  sent: number;
  /** An older segment of lane H, which drains behind the current one. Never told to the hub. */
  backlog: boolean;
}

/** A stream as the hub may know it. */
export const announced = ({ lane, seg, low, next, acked, sent }: StreamHead) => ({
  lane,
  seg,
  low,
  next,
  acked,
  sent,
});

export interface InFlight {
  /** Counts the envelopes of a session, from 1. */
  envelopeNo: number;
  last: number;
  bytes: number;
  sentMs: number;
}

/** One stream of the session. Sent and acknowledged numbers run ahead of each other only by what is in flight. */
export interface LaneState extends StreamKey {
  backlog: boolean;
  /** Last number of an older segment, which is closed and may go once it is delivered; null while a stream grows. */
  endSeq: number | null;
  ackedSeq: number;
  /** Last number handed to the socket; a nack takes it back. */
  sentSeq: number;
  /** Highest number handed to the socket in this session; no honest ack lies above it. */
  highestSeq: number;
  /** The outbox may hold frames after `sentSeq`. */
  more: boolean;
  /** Something was sealed since the outbox was asked last: an answer of "nothing" may be older. */
  sealedSinceRead: boolean;
  inFlight: readonly InFlight[];
  /** Number we went back to, until an ack shows progress; its late repeats are ignored. */
  wentBackTo: number | null;
  garbled: { seq: number; times: number } | null;
  pauseUntilMs: number;
}

/** Measured rate of acknowledged bytes, over stretches of at least `GOODPUT_MS_MIN`. */
export interface Goodput {
  bytesPerMs: number;
  ackedBytes: number;
  sinceMs: number;
}

/**
 * Whether a frame of the snapshot may go (`snapshot-turn.ts`). `waiting`: not before an envelope sent after the last
 * one, so above `behindNo`, was acknowledged.
 */
export type SnapshotTurn = { at: "off" } | { at: "due" } | { at: "waiting"; behindNo: number };

export interface UpState {
  at: "up";
  attempt: number;
  sinceMs: number;
  creditBytes: number;
  heartbeatMs: number;
  nextHeartbeatMs: number;
  nextStatusMs: number;
  lastHeardMs: number;
  goodput: Goodput;
  /** In the order of their right to the line: E, the current segment of H, then the older ones, oldest first. */
  lanes: readonly LaneState[];
  /** Bytes of the line that current data owes the backlog; below zero when the backlog had more than its share. */
  backlogDueBytes: number;
  /** Envelopes sent in this session. */
  envelopeNo: number;
  snapshot: SnapshotTurn;
  /** A read of the outbox is under way; its number, so that a late answer is told from a fresh one. */
  reading: number | null;
  readNo: number;
}

/** The way to a session. `renewed`: the attempt before this one ended with a new epoch. */
interface Early {
  attempt: number;
  renewed: boolean;
  deadlineMs: number;
}

/** `attempt` counts the failures since the last stable session. */
export type LinkPhase =
  | { at: "stopped" }
  | { at: "waiting"; attempt: number; untilMs: number; code: ErrorCode; reason: string }
  | ({ at: "opening" } & Early)
  | ({ at: "challenged" | "greeting"; streams: readonly StreamHead[] } & Early)
  /** No connection: the outbox moves to the epoch the hub named, however long that takes. */
  | { at: "renewing"; attempt: number }
  | UpState;

/** Frames of one stream that the hub has already. */
export interface KnownStream extends StreamKey {
  frames: KnownFrame[];
  from?: number | undefined;
}

/** Frames read from the outbox, joined: `envelope` is what goes on the wire. */
export interface FramesRead extends StreamKey {
  afterSeq: number;
  /** Last number of the envelope; `afterSeq` when there was none. */
  last: number;
  envelope: Uint8Array | null;
  /** There may be frames, but the disk does not let them go now. */
  refused?: boolean | undefined;
}

export type LinkEvent =
  | { type: "start" }
  | { type: "stop" }
  | { type: "tick" }
  | { type: "opened" }
  | { type: "closed"; code: number; reason: string }
  | { type: "heard"; message: DownlinkMessage }
  /** Anything that ends this connection: garbage from the hub, a hello that could not be made, a failed read. */
  | { type: "failed"; error: AppError }
  | { type: "helloSent"; streams: readonly StreamHead[] }
  | { type: "epochRenewed" }
  | { type: "framesRead"; readNo: number; read: FramesRead }
  | { type: "snapshotEnded" }
  | { type: "sealed"; lane: Lane }
  | { type: "statusChanged" };

export type LinkAction =
  | { do: "connect" }
  | { do: "close"; reason: string }
  | { do: "hello"; challenge: Static<typeof Challenge> }
  | { do: "send"; message: UplinkMessage }
  | { do: "sendHeartbeat" }
  | { do: "sendStatus" }
  | { do: "sendEnvelope"; envelope: Uint8Array }
  /** The next frame of lane L; the shell answers `snapshotEnded` when there is none. */
  | { do: "sendSnapshot"; bytesAim: number }
  | { do: "read"; readNo: number; key: StreamKey; afterSeq: number; bytesMax: number }
  /** The hub named its high-water mark for a new session; lower than ours means it was restored. */
  | { do: "welcomed"; key: StreamKey; hwm: number }
  | { do: "acknowledge"; key: StreamKey; hwm: number }
  | { do: "condemn"; key: StreamKey; seq: number; code: ErrorCode }
  | { do: "renewEpoch"; epoch: number; known: KnownStream[] }
  | { do: "command"; offer: CommandOffer }
  | { do: "field"; request: FieldRequest }
  | { do: "cancelField"; requestId: string }
  | { do: "manifest"; signed: SignedManifest };

export interface LinkStep {
  phase: LinkPhase;
  actions: LinkAction[];
}
