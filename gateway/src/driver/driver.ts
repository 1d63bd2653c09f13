import type { DriverDeclaration } from "@millrace/contract/driver/declaration";
import type { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { QualityCode } from "@millrace/contract/vocabulary/quality";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import type { Static, TSchema } from "@sinclair/typebox";

/** A tag as a driver sees it. `id` is the caller's (a tag number); the driver only hands it back. */
export interface Point<A = unknown> {
  id: number;
  address: A;
  dataType: DataType;
}

/** The answer for one point: a value with good quality, or null with the quality that says why. Unscaled. */
export interface Reading {
  id: number;
  value: TagValue;
  quality: QualityCode;
  /** The source's own time in ms UTC, where the protocol carries one. */
  sourceTimeMs?: number;
}

/** Counters of one session for the health report; they only grow. */
export interface SessionCounters {
  requests: number;
  errors: number;
  /** Last round trip in ms; null before the first answer. */
  roundTripMs: number | null;
  /** Facts learnt about the device, in words, e.g. a smaller register limit. */
  learned: readonly string[];
}

/** A protocol as it runs at the gateway: what its declaration says, and how to speak it. */
export interface Driver<S extends TSchema = TSchema, A = unknown> extends DriverDeclaration<S, A> {
  create(settings: Static<S>, deps: SessionDeps): Session<A>;
}

export interface SessionDeps {
  clock: Clock;
  /** Called when the peer drops the link outside of a request. At most once per successful `connect`. */
  onLost(error: AppError): void;
}

/**
 * A test's view of a session: it asks over the same link, also in turn, and what the device refuses it is remembered for
 * this test alone. A search through registers must not change how the devices of the running configuration are read.
 */
export interface Visit<A = unknown> {
  read(points: readonly Point<A>[], signal: AbortSignal): Promise<Reading[]>;
  /** Requests one cycle of these points takes, by what is known of the device now. Asks nothing, needs no link. */
  requestsFor?(points: readonly Point<A>[]): number;
  /** What is known of a point that has no value, as a sentence for a technician; null when nothing is. */
  explain?(point: Point<A>): string | null;
}

/**
 * One connection. Calls never overlap: the supervisor serialises them. No retry and no reconnect inside: the
 * supervisor owns both. (A protocol that cannot tell a late answer apart may take a new socket for the next call.)
 */
export interface Session<A = unknown> {
  /** @throws AppError `link.*` or `setting.wrong`. After a failure or a lost link it may be called again. */
  connect(signal: AbortSignal): Promise<void>;
  /**
   * One reading per point, in any order, always: an unreadable point is a reading of bad quality. All points of one
   * call belong to one device.
   * @throws AppError `device.timeout`, `device.busy`, `device.unreachable` when this device did not answer but the
   * link may serve others; `link.*` when the link itself is gone (the supervisor then connects again).
   */
  read(points: readonly Point<A>[], signal: AbortSignal): Promise<Reading[]>;
  counters(): SessionCounters;
  /** A place for a test beside the running configuration. Without it a test reads as a device does. */
  visit?(): Visit<A>;
  /** Ends everything the session opened. Safe to call twice and at any time. */
  close(): Promise<void>;
}
