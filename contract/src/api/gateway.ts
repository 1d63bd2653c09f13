import { type Static, Type } from "@sinclair/typebox";
import { GatewayStatus, LinkState } from "../vocabulary/gateway.ts";
import { EntityId, Name } from "../vocabulary/id.ts";
import { Instant } from "./page.ts";

const InstantOrNull = Type.Union([Instant, Type.Null()]);
const TextOrNull = Type.Union([Type.String(), Type.Null()]);

export const GatewayCreate = Type.Object({ name: Name, siteId: EntityId });
export type GatewayCreate = Static<typeof GatewayCreate>;

export const Gateway = Type.Object({
  id: EntityId,
  name: Name,
  siteId: EntityId,
  /** `unclaimed`: made at the hub, no machine yet. `revoked`: its key is no longer taken. */
  enrolment: Type.Union([Type.Literal("unclaimed"), Type.Literal("enrolled"), Type.Literal("revoked")]),
  linkState: LinkState,
  linkSince: InstantOrNull,
  lastSeen: InstantOrNull,
  fingerprint: TextOrNull,
  manifestWanted: Type.Integer({ minimum: 0 }),
  manifestRunning: Type.Integer({ minimum: 0 }),
  /** Why the last manifest was refused; null when it was not. */
  manifestError: TextOrNull,
  tagCount: Type.Integer({ minimum: 0 }),
  deviceCount: Type.Integer({ minimum: 0 }),
  /** Last health report; null until one came. Device links are inside. */
  status: Type.Union([GatewayStatus, Type.Null()]),
});
export type Gateway = Static<typeof Gateway>;
