import { GatewayHealth } from "@millrace/contract/api/gateway-health";
import { SupportBundle } from "@millrace/contract/api/support-bundle";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, atGateway, type Gatekeeper } from "../../http/access.ts";
import { type BundleDeps, supportBundle } from "./bundle.ts";
import { gatewayHealth } from "./service.ts";

const One = Type.Object({ id: EntityId });

export const fleetRoutes = (deps: BundleDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/gateways", detail: { tags: ["Gateways"] } })
    .use(access(deps.gatekeeper))
    .get("/:id/health", ({ params }) => gatewayHealth(deps, params.id), {
      can: atGateway("gateway.read"),
      params: One,
      response: { 200: GatewayHealth },
      detail: {
        summary: "How one gateway is: link, versions, machine, buffer, clock, devices, and what to do",
      },
    })
    .get(
      "/:id/support-bundle",
      ({ params, principal, set }) => {
        set.headers["content-disposition"] = `attachment; filename="gateway-${params.id}.json"`;
        set.headers["cache-control"] = "no-store";
        return supportBundle(deps, principal, params.id);
      },
      {
        can: atGateway("gateway.edit"),
        params: One,
        response: { 200: SupportBundle },
        detail: { summary: "What a person who helps from afar needs of one gateway, without secrets" },
      },
    );
