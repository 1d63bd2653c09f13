import { EntityParams } from "@millrace/contract/api/person";
import { SharedDevice, SharedDeviceCreate, SharedDevices } from "@millrace/contract/api/shared-device";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, inReach } from "../../http/access.ts";
import { askerOf, type People } from "../people/people.ts";
import { give } from "../people/sign-in/answer-routes.ts";
import { enrolSharedDevice, removeSharedDevice, sharedDevicesList } from "./service.ts";

export const sharedDeviceRoutes = ({ people, gatekeeper }: { people: People; gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/shared-devices", detail: { tags: ["People"] } })
    .use(access(gatekeeper))
    .get(
      "/",
      ({ request, server, principal }) => sharedDevicesList(people, askerOf(request, server), principal),
      {
        can: inReach("gateway.read"),
        response: { 200: SharedDevices },
        detail: { summary: "Shared tablets" },
      },
    )
    .post(
      "/",
      async ({ body, request, server, principal, set }) =>
        give(set, await enrolSharedDevice(people, askerOf(request, server), principal, body)),
      {
        can: inReach("gateway.edit"),
        body: SharedDeviceCreate,
        response: { 200: SharedDevice },
        detail: { summary: "Make this browser a shared tablet" },
      },
    )
    .delete("/:id", ({ params, principal }) => removeSharedDevice(people, principal, params.id), {
      can: inReach("gateway.edit"),
      params: EntityParams,
      response: { 200: Type.Null() },
      detail: { summary: "Take a shared tablet away" },
    });
