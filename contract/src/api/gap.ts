import { type Static, Type } from "@sinclair/typebox";
import { EntityId } from "../vocabulary/id.ts";
import { Instant } from "./page.ts";

/** Why samples of a stretch are missing; `thinned`: one-minute figures took their place. */
export const GapCauseName = Type.Union([
  Type.Literal("overflow"),
  Type.Literal("corrupt"),
  Type.Literal("quarantine"),
  Type.Literal("hubRestore"),
  Type.Literal("thinned"),
]);
export type GapCauseName = Static<typeof GapCauseName>;

/** `GET /api/v1/gaps`: stretches known to be missing or thinned, the latest first. Both ends are included. */
export const GapRow = Type.Object({
  gatewayId: EntityId,
  gatewayName: Type.String(),
  from: Instant,
  to: Instant,
  cause: GapCauseName,
  samples: Type.Integer({ minimum: 0 }),
});
export type GapRow = Static<typeof GapRow>;
