import { type Static, Type } from "@sinclair/typebox";
import { LinkState } from "../vocabulary/gateway.ts";
import { EntityId, TagNo } from "../vocabulary/id.ts";
import { JsonValue } from "../vocabulary/value.ts";
import { LIMITS } from "./limits.ts";

export const LIVE_PATH = "/api/v1/live";

/**
 * `LIVE_PATH`, hub ↔ browser, text messages. The browser says which tags are on screen; the hub answers with one
 * snapshot, then deltas. `seq` counts the deltas of this subscription by one; a hole means: subscribe again. A slow
 * browser gets the newest value of each tag, never a queue of old ones.
 */

/** [tagNo, value, quality name, time in ms UTC, last good value, its time]; nulls: never received / none. */
export const LiveValue = Type.Tuple([
  TagNo,
  JsonValue,
  Type.String(),
  Type.Union([Type.Number(), Type.Null()]),
  JsonValue,
  Type.Union([Type.Number(), Type.Null()]),
]);
export type LiveValue = Static<typeof LiveValue>;

/** Link of one gateway as the hub sees it; values of a gateway that is not `up` are offline. */
export const LiveGateway = Type.Object({
  gatewayId: EntityId,
  linkState: LinkState,
  sinceMs: Type.Union([Type.Number(), Type.Null()]),
});
export type LiveGateway = Static<typeof LiveGateway>;

/** Replaces the whole subscription; `id` comes back in every answer, so late answers of an older one are ignored. */
export const Subscribe = Type.Object({
  type: Type.Literal("subscribe"),
  id: Type.Integer({ minimum: 1 }),
  tags: Type.Array(TagNo, { maxItems: LIMITS.liveTagsMax }),
});
export const LiveClientMessage = Type.Union([Subscribe, Type.Object({ type: Type.Literal("hb") })]);
export type LiveClientMessage = Static<typeof LiveClientMessage>;

export const Snapshot = Type.Object({
  type: Type.Literal("snapshot"),
  id: Type.Integer(),
  seq: Type.Literal(0),
  hubTimeMs: Type.Number(),
  values: Type.Array(LiveValue),
  gateways: Type.Array(LiveGateway),
});
export const Delta = Type.Object({
  type: Type.Literal("delta"),
  id: Type.Integer(),
  seq: Type.Integer({ minimum: 1 }),
  values: Type.Array(LiveValue),
  gateways: Type.Array(LiveGateway),
});
/** Every 5 s when nothing else is sent; 12 s of silence mean the link is lost. */
export const LiveHeartbeat = Type.Object({ type: Type.Literal("hb"), hubTimeMs: Type.Number() });
export const LiveError = Type.Object({
  type: Type.Literal("error"),
  code: Type.String(),
  message: Type.String(),
});

export const LiveServerMessage = Type.Union([Snapshot, Delta, LiveHeartbeat, LiveError]);
export type LiveServerMessage = Static<typeof LiveServerMessage>;
