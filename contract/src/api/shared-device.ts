import { type Static, Type } from "@sinclair/typebox";
import { EntityId } from "../vocabulary/id.ts";
import { Instant } from "./page.ts";

/** `POST /api/v1/shared-devices`: makes the asking browser a shared tablet, where people switch by PIN. */
export const SharedDeviceCreate = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 60, examples: ["Tablet line 3"] }),
  /** Who switches in by PIN can do there what their roles let them, at this place and below, and no more. */
  siteId: EntityId,
});
export type SharedDeviceCreate = Static<typeof SharedDeviceCreate>;

export const SharedDevice = Type.Object({
  id: Type.String(),
  name: Type.String(),
  siteId: EntityId,
  path: Type.String(),
  /** True for the browser that asks. */
  own: Type.Boolean(),
  device: Type.String({ examples: ["Chrome on Android"] }),
  createdAt: Instant,
  lastSeenAt: Type.Union([Instant, Type.Null()]),
});
export type SharedDevice = Static<typeof SharedDevice>;
/** `GET /api/v1/shared-devices`, by name. `DELETE /api/v1/shared-devices/:id` ends its PINs and its sessions. */
export const SharedDevices = Type.Object({ items: Type.Array(SharedDevice) });
