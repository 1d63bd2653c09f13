import { type Static, Type } from "@sinclair/typebox";
import { DriverSettings } from "./plant.ts";

/** `GET /api/v1/gateways/:id/sparkplug`: a gateway as Sparkplug edge node. */
export const GatewaySparkplug = Type.Object({
  /** Null: it is none. In place of a secret stands its name. */
  settings: Type.Union([DriverSettings, Type.Null()]),
  /** As they are, or would be, with nothing written. */
  groupId: Type.String(),
  edgeNodeId: Type.String(),
  revision: Type.Integer({ minimum: 1 }),
});
export type GatewaySparkplug = Static<typeof GatewaySparkplug>;

/** `PUT /api/v1/gateways/:id/sparkplug`. Needs If-Match. */
export const GatewaySparkplugPut = Type.Object({
  settings: Type.Union([DriverSettings, Type.Null()], {
    description: "By `docs/sparkplug.md`; null: it is no edge node any more",
  }),
});
export type GatewaySparkplugPut = Static<typeof GatewaySparkplugPut>;
