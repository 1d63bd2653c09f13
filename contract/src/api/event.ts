import { type Static, Type } from "@sinclair/typebox";
import { EntityId } from "../vocabulary/id.ts";
import { Instant } from "./page.ts";

export const EventFact = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);
export type EventFact = Static<typeof EventFact>;

/** `GET /api/v1/events`: what gateways told about themselves, newest first. */
export const EventRow = Type.Object({
  gatewayId: EntityId,
  gatewayName: Type.String(),
  time: Instant,
  receivedAt: Instant,
  code: Type.String({ examples: ["buffer.overflowed"] }),
  severity: Type.Union([Type.Literal("info"), Type.Literal("warning"), Type.Literal("error")]),
  message: Type.String(),
  deviceId: Type.Union([EntityId, Type.Null()]),
  data: Type.Record(Type.String(), EventFact),
});
export type EventRow = Static<typeof EventRow>;
