import { type Static, Type } from "@sinclair/typebox";
import { EntityId } from "../vocabulary/id.ts";
import { LogLevel } from "../vocabulary/log.ts";
import { EventFact } from "./event.ts";
import { Instant, PageQuery } from "./page.ts";

/** Longest text one may search for. */
export const LOG_SEARCH_CHARS_MAX = 100;

/** `GET /api/v1/logs`: records of the gateways' logs, newest first. */
export const LogRow = Type.Object({
  gatewayId: EntityId,
  gatewayName: Type.String(),
  time: Instant,
  receivedAt: Instant,
  level: LogLevel,
  /** Which part of the program logged it. */
  logger: Type.String({ examples: ["gateway.device"] }),
  message: Type.String(),
  deviceId: Type.Union([EntityId, Type.Null()]),
  data: Type.Record(Type.String(), EventFact),
});
export type LogRow = Static<typeof LogRow>;

export const LogQuery = Type.Object({
  gatewayId: Type.Optional(EntityId),
  /** This level and everything more serious. */
  level: Type.Optional(LogLevel),
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: LOG_SEARCH_CHARS_MAX,
      description: "Part of the message or of the logger's name, in any case",
    }),
  ),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  ...PageQuery.properties,
});
export type LogQuery = Static<typeof LogQuery>;
