import { type Static, Type } from "@sinclair/typebox";
import { EntityId, TagNo } from "../vocabulary/id.ts";
import { LOG_RECORD, LogLevel } from "../vocabulary/log.ts";
import { JsonValue } from "../vocabulary/value.ts";

/** A value to be written to a machine, in engineering units. */
export const WriteTag = Type.Object({
  kind: Type.Literal("writeTag"),
  tagNo: TagNo,
  value: JsonValue,
  /** What the person saw: the gateway reads the device first and writes only over this. */
  expected: JsonValue,
  /** Names of who asked and, where a second person agreed, of that one. */
  by: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 2 }),
});
export type WriteTag = Static<typeof WriteTag>;

/** What a gateway can be asked to do without touching a machine. */
export const PlainCommandBody = Type.Union([
  Type.Object({ kind: Type.Literal("restartDevice"), deviceId: EntityId }),
  /** The program ends with `EXIT_RESTART`, and what supervises it starts it again. */
  Type.Object({ kind: Type.Literal("restartGateway") }),
  /** Log records from this level on go to the hub for some minutes. */
  Type.Object({
    kind: Type.Literal("setLogLevel"),
    level: LogLevel,
    minutes: Type.Integer({ minimum: 1, maximum: LOG_RECORD.minutesMax }),
  }),
]);

/** What a gateway can be asked to do. */
export const CommandBody = Type.Union([...PlainCommandBody.anyOf, WriteTag]);
export type CommandBody = Static<typeof CommandBody>;

export const COMMAND_KINDS = [
  "restartDevice",
  "restartGateway",
  "setLogLevel",
  "writeTag",
] as const satisfies readonly CommandBody["kind"][];
/** What a gateway takes that shows a command number and no kinds: the one there was before kinds were shown. */
export const COMMAND_KINDS_FIRST: readonly string[] = ["restartDevice"];

/**
 * Carried out at most once, never after it expired: the gateway keeps `commandId` durably before it acts, and takes no
 * `commandNo` at or below the highest it knows (`delivery.md` 2.9: a restored hub may repeat old commands). The hub
 * numbers above all it gave and all a hello showed, sends each once over a live session and queues none; the outcome
 * comes back as the event `command.done` of lane E, and the first one counts.
 */
export const Command = Type.Object({
  commandId: EntityId,
  commandNo: Type.Integer({ minimum: 1 }),
  /** Hub time; the gateway judges it by its offset to the hub and its monotonic clock. */
  expiresMs: Type.Number(),
  /** Hub time when it was made. A gateway that is told of a later time than its own waits for no one: it refuses. */
  notBeforeMs: Type.Optional(Type.Number()),
  body: CommandBody,
});
export type Command = Static<typeof Command>;

export const CommandOutcome = Type.Union([
  Type.Literal("done"),
  Type.Literal("failed"),
  Type.Literal("expired"),
  /** Its number is not above the highest this gateway knows. */
  Type.Literal("stale"),
  Type.Literal("unknown"),
]);
export type CommandOutcome = Static<typeof CommandOutcome>;

/** Longest life of a command, in ms; also the life the hub gives most. A gateway refuses one that lives longer. */
export const COMMAND_MS_MAX = 30_000;
/** Life of a write, in ms: whoever asked stands before the screen and waits. */
export const WRITE_MS = 10_000;
/** By how much the clocks of hub and gateway may differ after all corrections, in ms. */
export const COMMAND_CLOCK_SLACK_MS = 2_000;
