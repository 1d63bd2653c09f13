import { type Static, Type } from "@sinclair/typebox";
import { EntityId } from "../vocabulary/id.ts";
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

/** Most commands one answer lists. */
export const COMMANDS_SHOWN_MAX = 50;

/** `GET /api/v1/gateways/:id/commands`: the newest, the latest first. */
export const GatewayCommands = Type.Object({
  items: Type.Array(GatewayCommand, { maxItems: COMMANDS_SHOWN_MAX }),
});
export type GatewayCommands = Static<typeof GatewayCommands>;
