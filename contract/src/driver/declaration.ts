import type { Static, TSchema } from "@sinclair/typebox";
import type { DataType } from "../vocabulary/value.ts";
import type { FieldPoint } from "../wire/field.ts";
import type { Matcher } from "./matcher.ts";

/** What a driver can do, as data: callers ask for the capability, never for the kind. */
export interface Capabilities {
  read: boolean;
  subscribe: boolean;
  write: boolean;
  browse: boolean;
}

/** Settings that people fill in and that are judged by their schema, of a driver or of something else that connects. */
export interface SettingsDeclaration<S extends TSchema = TSchema> {
  kind: string;
  label: string;
  settings: S;
  /** What one setting asks of another, judged when all of them fit the schema: which is wrong and why, or null. */
  settingsProblem?(settings: Static<S>): { setting: string; message: string } | null;
}

/**
 * What hub, screens and gateway must agree on about a protocol. `settings` and `address` are schemas (JSON Schema at run
 * time), so forms, imports, documentation and checks all read the same declaration. Nothing here touches the network.
 */
export interface DriverDeclaration<S extends TSchema = TSchema, A = unknown> extends SettingsDeclaration<S> {
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
  /** How devices are looked for in a network: the setting that is their address, and settings that keep it short. */
  scan?: { host: string; settings: Record<string, unknown> };
  /** Devices with the same key share one session: few sockets on a device, one line behind a converter. */
  connectionKey(settings: Static<S>): string;
  /**
   * Where a connection test asks one harmless question: a link that opens says nothing of the device behind it. A
   * refusal is an answer too. Without it, opening the link is the whole test.
   */
  probe?(settings: Static<S>): FieldPoint;
  /** The setting that names the one certificate a device is trusted by: the `fingerprint` of a `PeerCertificate`. */
  trust?: string;
  /** Why nothing can be written at an address, as a sentence; null where it can. Without it, every address can be written. */
  writeProblem?(address: A): string | null;
  /** Finds a number of a display in the device, where the protocol has places to search. */
  matcher?: Matcher<Static<S>>;
}
