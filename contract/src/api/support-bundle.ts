import { type Static, Type } from "@sinclair/typebox";
import { EntityId } from "../vocabulary/id.ts";
import { GatewayCommand } from "./command.ts";
import { EventFact, EventRow } from "./event.ts";
import { Gateway } from "./gateway.ts";
import { GatewayHealth } from "./gateway-health.ts";
import { LogRow } from "./log.ts";
import { Instant } from "./page.ts";

/** How much of each a bundle holds, the newest; `cut` says where there was more. */
export const BUNDLE = { logsMax: 2_000, eventsMax: 500, devicesMax: 1_000 } as const;

/** A device of the wanted manifest, its secrets left out. */
const BundleDevice = Type.Object({
  deviceId: EntityId,
  name: Type.String(),
  path: Type.String(),
  driver: Type.String(),
  settings: Type.Record(Type.String(), Type.Unknown()),
  tagCount: Type.Integer({ minimum: 0 }),
});

/** `GET /api/v1/gateways/:id/support-bundle`: what a person who helps from afar needs, and no secret. */
export const SupportBundle = Type.Object({
  format: Type.Literal(1),
  madeAt: Instant,
  madeBy: Type.String(),
  hub: Type.Object({
    hubId: EntityId,
    software: Type.String(),
    runtime: Type.String(),
    database: Type.String({ description: "Version of PostgreSQL" }),
  }),
  /** Without its status, which is in `health`. */
  gateway: Gateway,
  health: GatewayHealth,
  /** What the gateway itself was started with, as it told; null until it did. */
  settings: Type.Union([Type.Record(Type.String(), EventFact), Type.Null()]),
  manifest: Type.Union([
    Type.Object({
      rev: Type.Integer({ minimum: 1 }),
      sha256: Type.String(),
      devices: Type.Array(BundleDevice, { maxItems: BUNDLE.devicesMax }),
    }),
    Type.Null(),
  ]),
  commands: Type.Array(GatewayCommand),
  events: Type.Array(EventRow, { maxItems: BUNDLE.eventsMax }),
  logs: Type.Array(LogRow, { maxItems: BUNDLE.logsMax }),
  cut: Type.Object({ logs: Type.Boolean(), events: Type.Boolean(), devices: Type.Boolean() }),
});
export type SupportBundle = Static<typeof SupportBundle>;
