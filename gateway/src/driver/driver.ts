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

/** What a driver can do, as data: callers ask for the capability, never for the kind. */
export interface Capabilities {
  read: boolean;
  subscribe: boolean;
  write: boolean;
  browse: boolean;
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

/**
 * A protocol. `settings` and `address` are schemas (JSON Schema at run time), so forms, documentation and checks all
 * read the same declaration. Nothing here touches the network.
 */
export interface Driver<S extends TSchema = TSchema, A = unknown> {
  kind: string;
  label: string;
  settings: S;
  /** Shape of the address text, with examples, for forms and documentation. */
  address: TSchema;
  capabilities: Capabilities;
  /**
   * Text → resolved address, with everything the device's settings add (unit, byte order, quirks), so that a point
   * is complete in itself.
   * @throws AppError `address.illegal` naming what was found and what would be right.
   */
  parseAddress(text: string, dataType: DataType, settings: Static<S>): A;
  /** The canonical text; `parseAddress(formatAddress(a))` gives `a` back. */
  formatAddress(address: A): string;
  /** Devices with the same key share one session: few sockets on a device, one line behind a converter. */
  connectionKey(settings: Static<S>): string;
  create(settings: Static<S>, deps: SessionDeps): Session<A>;
}

export interface SessionDeps {
  clock: Clock;
  /** Called when the peer drops the link outside of a request. At most once per successful `connect`. */
  onLost(error: AppError): void;
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
  /** Ends everything the session opened. Safe to call twice and at any time. */
  close(): Promise<void>;
}
