import { GatewaySparkplug, GatewaySparkplugPut } from "@millrace/contract/api/sparkplug";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, atGateway, type Gatekeeper } from "../../http/access.ts";
import { entityTag, revisionOf } from "../../http/revision.ts";
import type { ChangeDeps } from "../change.ts";
import { getSparkplug, putSparkplug } from "./sparkplug-service.ts";

const One = Type.Object({ id: EntityId });

export const sparkplugRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/gateways", detail: { tags: ["Gateways"] } })
    .use(access(deps.gatekeeper))
    .get(
      "/:id/sparkplug",
      async ({ params, set }) => {
        const sparkplug = await getSparkplug(deps, params.id);
        set.headers.etag = entityTag(sparkplug.revision);
        return sparkplug;
      },
      {
        can: atGateway("gateway.read"),
        params: One,
        response: { 200: GatewaySparkplug },
        detail: { summary: "A gateway as Sparkplug edge node; secrets are shown by name" },
      },
    )
    .put(
      "/:id/sparkplug",
      ({ params, body, headers, principal }) =>
        putSparkplug(deps, principal, params.id, revisionOf(headers["if-match"]), body),
      {
        can: atGateway("gateway.edit"),
        params: One,
        body: GatewaySparkplugPut,
        response: { 200: GatewaySparkplug },
        detail: { summary: "Make a gateway a Sparkplug edge node, change how, or end it. Needs If-Match." },
      },
    );
