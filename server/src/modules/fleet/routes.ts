import { GatewayHealth } from "@millrace/contract/api/gateway-health";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { type Authenticate, access } from "../../http/access.ts";
import { gatewayHealth, type HealthDeps } from "./service.ts";

const One = Type.Object({ id: EntityId });

export const fleetRoutes = (deps: HealthDeps & { authenticate: Authenticate }) =>
  new Elysia({ prefix: "/api/v1/gateways", detail: { tags: ["Gateways"] } })
    .use(access(deps.authenticate))
    .get("/:id/health", ({ params }) => gatewayHealth(deps, params.id), {
      can: "gateway.read",
      params: One,
      response: { 200: GatewayHealth },
      detail: {
        summary: "How one gateway is: link, versions, machine, buffer, clock, devices, and what to do",
      },
    });
