import { type Static, Type } from "@sinclair/typebox";
import { EntityId } from "../vocabulary/id.ts";
import { LOG_RECORD, LogLevel } from "../vocabulary/log.ts";
import { CommandBody, CommandOutcome } from "../wire/command.ts";
import { Instant } from "./page.ts";

/**
 * `sent`: it may still be carried out. `unknown` without `answeredAt`: it expired and the gateway told nothing, so it
 * may have run; an answer that comes later still counts. The others are what the gateway told.
 */
export const CommandState = Type.Union([Type.Literal("sent"), ...CommandOutcome.anyOf]);
export type CommandState = Static<typeof CommandState>;

/** One command as the hub knows it: asked for once, never queued, never sent again. */
export const GatewayCommand = Type.Object({
  id: EntityId,
  gatewayId: EntityId,
  /** Rises for each gateway; the gateway takes none at or below the highest it knows. */
  commandNo: Type.Integer({ minimum: 1 }),
  body: CommandBody,
  /** Name of the person or the program that asked. */
  requestedBy: Type.String(),
  requestedAt: Instant,
  expiresAt: Instant,
  state: CommandState,
  /** When the hub got the outcome; null while there is none. */
  answeredAt: Type.Union([Instant, Type.Null()]),
});
export type GatewayCommand = Static<typeof GatewayCommand>;

/** `POST /api/v1/gateways/:id/restart`: the whole program, or the link to one device. */
export const RestartRequest = Type.Union([
  Type.Object({ what: Type.Literal("gateway") }),
  Type.Object({ what: Type.Literal("device"), deviceId: EntityId }),
]);
export type RestartRequest = Static<typeof RestartRequest>;

/** The command that such a request asks for. */
export const restartCommand = (request: RestartRequest): CommandBody =>
  request.what === "gateway"
    ? { kind: "restartGateway" }
    : { kind: "restartDevice", deviceId: request.deviceId };

/** `POST /api/v1/gateways/:id/log-level`: after the minutes, and after a restart, the standard level counts again. */
export const LogLevelRequest = Type.Object({
  level: LogLevel,
  minutes: Type.Integer({ minimum: 1, maximum: LOG_RECORD.minutesMax }),
});
export type LogLevelRequest = Static<typeof LogLevelRequest>;

/** Most commands one answer lists. */
export const COMMANDS_SHOWN_MAX = 50;

/** `GET /api/v1/gateways/:id/commands`: the newest, the latest first. */
export const GatewayCommands = Type.Object({
  items: Type.Array(GatewayCommand, { maxItems: COMMANDS_SHOWN_MAX }),
});
export type GatewayCommands = Static<typeof GatewayCommands>;
