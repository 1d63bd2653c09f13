import { Claim } from "@millrace/contract/api/enrolment";
import { Gateway, GatewayCreate, GatewayLabels, GatewayQuery } from "@millrace/contract/api/gateway";
import { Page } from "@millrace/contract/api/page";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, atGateway, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import { entityTag, revisionOf } from "../../http/revision.ts";
import {
  claimGateway,
  confirmConfiguration,
  createGateway,
  type GatewayDeps,
  gatewaysPage,
  getGateway,
  labelGateway,
  revoke,
  trust,
} from "./service.ts";

const One = Type.Object({ id: EntityId });

export const gatewayRoutes = (deps: GatewayDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/gateways", detail: { tags: ["Gateways"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query, principal }) => gatewaysPage(deps, query, reachOf(principal, "gateway.read")), {
      can: inReach("gateway.read"),
      query: asQuery(GatewayQuery),
      response: { 200: Page(Gateway) },
      detail: { summary: "Gateways with their link and last health report" },
    })
    .post("/", ({ body, principal }) => createGateway(deps, principal, body), {
      can: inReach("gateway.edit"),
      body: GatewayCreate,
      response: { 200: Gateway },
      detail: { summary: "Add a gateway; a claim then lets a machine become it" },
    })
    .get(
      "/:id",
      async ({ params, set }) => {
        const gateway = await getGateway(deps, params.id);
        set.headers.etag = entityTag(gateway.revision ?? 1);
        return gateway;
      },
      {
        can: atGateway("gateway.read"),
        params: One,
        response: { 200: Gateway },
        detail: { summary: "One gateway" },
      },
    )
    .put(
      "/:id/labels",
      ({ params, body, headers, principal }) =>
        labelGateway(deps, principal, params.id, revisionOf(headers["if-match"]), body),
      {
        can: atGateway("gateway.edit"),
        params: One,
        body: GatewayLabels,
        response: { 200: Gateway },
        detail: { summary: "Replace the labels by which people group a gateway. Needs If-Match." },
      },
    )
    .post("/:id/claims", ({ params, principal }) => claimGateway(deps, principal, params.id), {
      can: atGateway("gateway.edit"),
      params: One,
      response: { 200: Claim },
      detail: { summary: "Make a one-time claim token; it is shown once" },
    })
    .post("/:id/revoke", ({ params, principal }) => revoke(deps, principal, params.id), {
      can: atGateway("gateway.edit"),
      params: One,
      response: { 200: Gateway },
      detail: { summary: "Take no data from this gateway's key any more" },
    })
    .post("/:id/trust", ({ params, principal }) => trust(deps, principal, params.id), {
      can: atGateway("gateway.edit"),
      params: One,
      response: { 200: Gateway },
      detail: { summary: "Let a gateway in again that was believed to be two machines" },
    })
    .post(
      "/:id/configuration/confirm",
      ({ params, principal }) => confirmConfiguration(deps, principal, params.id),
      {
        can: atGateway("gateway.edit"),
        params: One,
        response: { 200: Gateway },
        detail: { summary: "Offer this hub's configuration to a gateway that runs a later one" },
      },
    );
