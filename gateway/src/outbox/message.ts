import type { ErrorBody } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import type { OutboxMode, OutboxStatus } from "@millrace/contract/vocabulary/gateway";
import type { GatewayEvent } from "@millrace/contract/wire/event";
import type { ClockQuality } from "@millrace/contract/wire/frame";
import type { Lane, StreamKey } from "@millrace/contract/wire/stream";
import type { SealTime } from "./draft.ts";
import type { Receipt } from "./receipt.ts";
import type { KnownStream } from "./renew.ts";
import type { SampleBatch } from "./sample-batch.ts";

/** What the outbox needs to know once. */
export interface OutboxSettings {
  folder: string;
  bytesQuota: number;
  ackedKeepMs: number;
  mode: OutboxMode;
}

/** A stream as the hello lists it. */
export interface StreamHead extends StreamKey {
  low: number;
  next: number;
  acked: number;
  /** Highest number that may have left this gateway. */
  sent: number;
  /** An older segment of history, which drains behind the present. */
  backlog: boolean;
}

export interface Envelope {
  /** Last number in it; the number asked for when there is none. */
  last: number;
  bytes: Uint8Array | null;
  /** The disk refused to note what would leave, so nothing may: ask again later. */
  refused?: boolean;
}

/** `newestSealed`: when the last frame on disk was sealed, and what stood behind the clock then. */
export type OpenOutcome =
  | { at: "open"; epoch: number; newestSealed: { wallMs: number; clockQuality: ClockQuality } | null }
  | { at: "needsEpoch"; above: number; reason: string };

/** Requests by name: what goes in, what comes out. */
export interface OutboxCalls {
  open: { in: { settings: OutboxSettings; epoch: number; at: SealTime }; out: OpenOutcome };
  seal: {
    in: { batch: SampleBatch | null; at: SealTime; receipts: readonly Receipt[] };
    /** `kept`: the samples and the receipts lie on disk. */
    out: { buffer: ArrayBuffer | null; lanes: Lane[]; kept: boolean };
  };
  record: { in: { events: readonly GatewayEvent[]; at: SealTime }; out: Lane[] };
  streams: { in: null; out: StreamHead[] };
  openSession: { in: { at: SealTime }; out: StreamHead[] };
  renewEpoch: { in: { epoch: number; known: readonly KnownStream[]; at: SealTime }; out: null };
  frames: { in: { key: StreamKey; afterSeq: number; bytesMax: number; at: SealTime }; out: Envelope };
  acknowledge: { in: { key: StreamKey; hwm: number }; out: null };
  welcomed: { in: { key: StreamKey; hwm: number; at: SealTime }; out: null };
  condemn: { in: { key: StreamKey; seq: number; code: string; at: SealTime }; out: null };
  receipt: { in: { id: string }; out: string | null };
  status: { in: null; out: OutboxStatus };
  close: { in: null; out: null };
}
export type OutboxCall = keyof OutboxCalls;

export type ToWorker = {
  [C in OutboxCall]: { id: number; call: C; input: OutboxCalls[C]["in"] };
}[OutboxCall];

/** Something a person should see; goes to the log and the status. */
export interface OutboxReport {
  code: ErrorCode;
  message: string;
}

export type FromWorker =
  | { id: number; ok: true; value: unknown }
  | { id: number; ok: false; error: ErrorBody }
  | { report: OutboxReport };
