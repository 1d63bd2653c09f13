import { Page, PageQuery } from "@millrace/contract/api/page";
import { Device, DeviceCreate, DevicesEdit, DevicesEdited } from "@millrace/contract/api/plant";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, atDevice, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import { entityTag, revisionOf } from "../../http/revision.ts";
import type { ChangeDeps } from "../change.ts";
import { createDevice, devicesPage, editDevice, getDevice, removeDevice } from "./service.ts";
import { editDevicesTogether } from "./together.ts";

const One = Type.Object({ id: EntityId });

export const deviceRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/devices", detail: { tags: ["Plant"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query, principal }) => devicesPage(deps.db, query, reachOf(principal, "plant.read")), {
      can: inReach("plant.read"),
      query: asQuery(Type.Composite([PageQuery, Type.Object({ gatewayId: Type.Optional(EntityId) })])),
      response: { 200: Page(Device) },
      detail: { summary: "Devices" },
    })
    .post("/", ({ body, principal }) => createDevice(deps, principal, body), {
      can: inReach("plant.edit"),
      body: DeviceCreate,
      response: { 200: Device },
      detail: { summary: "Add a device" },
    })
    .post("/edit", ({ body, principal }) => editDevicesTogether(deps, principal, body), {
      can: inReach("plant.edit"),
      body: DevicesEdit,
      response: { 200: DevicesEdited },
      detail: { summary: "Give several devices the same place, gateway, hours or state: all or none" },
    })
    .get(
      "/:id",
      async ({ params, set }) => {
        const device = await getDevice(deps.db, params.id);
        set.headers.etag = entityTag(device.revision);
        return device;
      },
      {
        can: atDevice("plant.read"),
        params: One,
        response: { 200: Device },
        detail: { summary: "One device" },
      },
    )
    .put(
      "/:id",
      ({ params, body, headers, principal }) =>
        editDevice(deps, principal, params.id, revisionOf(headers["if-match"]), body),
      {
        can: atDevice("plant.edit"),
        params: One,
        body: DeviceCreate,
        response: { 200: Device },
        detail: { summary: "Replace a device. Needs If-Match." },
      },
    )
    .delete("/:id", ({ params, principal }) => removeDevice(deps, principal, params.id), {
      can: atDevice("plant.edit"),
      params: One,
      response: { 200: Type.Null() },
      detail: { summary: "Remove a device; its samples stay" },
    });
