import { type Static, Type } from "@sinclair/typebox";
import { EntityId } from "../vocabulary/id.ts";
import { Lane } from "../wire/stream.ts";
import { Instant } from "./page.ts";

/** Names a frame in quarantine: gateway number, epoch, lane, segment and first number. */
export const QuarantineId = Type.String({
  pattern: "^[0-9]{1,9}-[0-9]{1,10}-[EHL]-[0-9]{1,10}-[0-9]{1,16}$",
  examples: ["3-1-H-1-4711"],
});

/** A frame that came whole and could not be used; kept until somebody retries, exports or deletes it. */
export const QuarantinedFrame = Type.Object({
  id: QuarantineId,
  gatewayId: EntityId,
  gatewayName: Type.String(),
  epoch: Type.Integer({ minimum: 1 }),
  lane: Lane,
  seg: Type.Integer({ minimum: 1 }),
  first: Type.Integer({ minimum: 1 }),
  last: Type.Integer({ minimum: 1 }),
  /** Samples the frame announces. */
  samples: Type.Integer({ minimum: 0 }),
  bytes: Type.Integer({ minimum: 0 }),
  code: Type.String({ examples: ["block.garbled"] }),
  reason: Type.String(),
  receivedAt: Instant,
});
export type QuarantinedFrame = Static<typeof QuarantinedFrame>;

/** What a frame turned out to be with today's program. */
export const QuarantineRetry = Type.Object({
  kind: Type.Union([
    Type.Literal("data"),
    Type.Literal("gap"),
    Type.Literal("rollup"),
    Type.Literal("events"),
  ]),
  samples: Type.Integer({ minimum: 0 }),
});
export type QuarantineRetry = Static<typeof QuarantineRetry>;
