import type { DriverDeclaration } from "@millrace/contract/driver/declaration";
import type { AppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import type { Clock } from "@millrace/contract/std/clock";
import type { PeerCertificate } from "@millrace/contract/vocabulary/certificate";
import type { QualityCode } from "@millrace/contract/vocabulary/quality";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import type { BrowseNode } from "@millrace/contract/wire/field";
import type { Static, TSchema } from "@sinclair/typebox";
import type { Arrivals } from "./arrivals.ts";
import type { Diagnose } from "./doctor.ts";
import type { Keep } from "./keep.ts";
import type { Meter, Unit } from "./meter.ts";

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
  /** When the value came to be by the source's own clock, ms UTC, where the protocol carries it. Judged in `scan/`. */
  sourceTimeMs?: number;
  /** When the server of the protocol took the value over, by its own clock, ms UTC. */
  serverTimeMs?: number;
  /** What the protocol itself said of the value, e.g. `BadSensorFailure`, where that is finer than the quality. */
  status?: string;
}

/** A value that shall be in the device. Unscaled. */
export interface PointWrite<A = unknown> extends Point<A> {
  value: TagValue;
}

/** What came of one write. */
export type WriteOutcome =
  | { id: number; done: true }
  /** `maybe`: it was sent and no answer came, so the device may have it or not. */
  | { id: number; done: false; maybe: boolean; code: ErrorCode; message: string };

/** Counters of one session for the health report; they only grow. */
export interface SessionCounters {
  requests: number;
  errors: number;
  /** Last round trip in ms; null before the first answer. */
  roundTripMs: number | null;
  /** Facts learnt about the device, in words, e.g. a smaller register limit. */
  learned: readonly string[];
  /** What somebody in front of the device should know now, as a sentence, e.g. that its clock is wrong. */
  note?: string;
  /** What the device showed of itself, where the protocol has certificates. */
  certificate?: PeerCertificate;
}

/** A protocol as it runs at the gateway: what its declaration says, and how to speak it. */
export interface Driver<S extends TSchema = TSchema, A = unknown> extends DriverDeclaration<S, A> {
  /**
   * Opens nothing. It is awaited so that a heavy protocol library can be loaded here (`await import("./session.ts")`)
   * and not with the gateway: who reads Modbus alone pays for nothing else.
   */
  create(settings: Static<S>, deps: SessionDeps): Promise<Session<A>>;
  /** The unit behind a shared line that a device of these settings is; left out where a connection has one device. */
  unitOf?(settings: Static<S>): Unit;
  /** Values come only in messages that are sent by themselves: then their absence is worth telling. */
  byMessages?: boolean;
}

/** A point that shall be told when it changes. */
export interface Wish<A = unknown> extends Point<A> {
  /** How soon a change shall be seen, ms. */
  scanMs: number;
  /** Smallest change worth telling, in the device's own unscaled numbers; 0 for any. The caller filters once more. */
  deadband: number;
}

/** A running subscription, as the supervisor must know it. */
export interface Subscription {
  /** A device that is there lets hear from it at least this often, ms; after longer silence it counts as lost. */
  aliveMs: number;
}

/** At most `LIMITS.fieldNodesMax` places. */
export interface BrowsePage {
  nodes: BrowseNode[];
  /** `after` of the next page; null when this was the last. */
  after: number | null;
}

export interface SessionDeps {
  clock: Clock;
  /** Called when the peer drops the link outside of a request. At most once per successful `connect`. */
  onLost(error: AppError): void;
  /** Hears of every request, for the bus doctor; left out where nobody measures. */
  meter?: Meter;
  /** Where devices that send by themselves arrive; left out at a gateway that takes nothing. */
  arrivals?: Arrivals;
  /** Where a driver keeps what must survive a restart. Left out in tests: then it lasts as long as the process. */
  keep?: Keep;
  /**
   * A driver that needs several requests for one `read` awaits this between two of them: a write that waits goes first
   * and is called within it. It resolves at once when nothing waits, and never rejects.
   */
  between?(): Promise<void>;
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
 * One connection. Calls never overlap, but for writes within `SessionDeps.between`: the supervisor serialises them. No retry and no reconnect inside: the
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
  /**
   * From now on the device tells by itself. `emit` hears every change in the order it happened, first of all the
   * present value of each point, and an empty list when the device is there and nothing changed. It lasts until
   * `signal` aborts, the link is lost or the session is closed; a subscription the device gave up is a lost link.
   * Null: this device cannot, and is read at its deadlines. Left out where a session only reads.
   * @throws AppError as `read` does
   */
  subscribe?(
    wishes: readonly Wish<A>[],
    emit: (readings: readonly Reading[]) => void,
    signal: AbortSignal,
  ): Promise<Subscription | null>;
  /**
   * What lies below a place, `""` for the beginning; bounded, a page at a time.
   * @param after where the page before ended, 0 for the first
   * @throws AppError as `read` does; `address.illegal` when there is no such place
   */
  browse?(from: string, after: number, signal: AbortSignal): Promise<BrowsePage>;
  /**
   * One outcome per point, in their order, always. Values are written in the order they are given, none of them twice,
   * and none after one that may or may not have arrived. An outcome with the code `link.lost` tells that the link is
   * gone: the supervisor then connects again. Left out where a protocol only reads.
   * @throws AppError `link.*` when nothing at all was sent
   */
  write?(points: readonly PointWrite<A>[], signal: AbortSignal): Promise<WriteOutcome[]>;
  counters(): SessionCounters;
  /** Causes only this protocol has, from the figures of a connection. Pure; here, so that it is loaded with the session. */
  readonly diagnose?: Diagnose;
  /** Figures of this moment which `diagnose` reads. */
  figures?(): Readonly<Record<string, number>>;
  /** A place for a test beside the running configuration. Without it a test reads as a device does. */
  visit?(): Visit<A>;
  /** Ends everything the session opened. Safe to call twice and at any time. */
  close(): Promise<void>;
}
