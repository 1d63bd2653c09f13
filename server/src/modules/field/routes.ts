import {
  FieldConnectionRequest,
  FieldConnectionResult,
  FieldMatchRequest,
  FieldMatchResult,
  FieldReadRequest,
  FieldReadResult,
  FieldScanRequest,
  FieldScanResult,
} from "@millrace/contract/api/field";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, atGateway, type Gatekeeper } from "../../http/access.ts";
import { type FieldDeps, matchDisplay, scanNetwork, testConnection, testRead } from "./service.ts";

const One = Type.Object({ id: EntityId });

/** Tools at the device. They only read, so whoever may edit the plant may use them. */
export const fieldRoutes = (deps: FieldDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/gateways/:id/field", detail: { tags: ["Field tools"] } })
    .use(access(deps.gatekeeper))
    .post(
      "/connection",
      ({ params, body, principal, request }) =>
        testConnection(deps, { principal, gatewayId: params.id, signal: request.signal, input: body }),
      {
        can: atGateway("field.use"),
        params: One,
        body: FieldConnectionRequest,
        response: { 200: FieldConnectionResult },
        detail: { summary: "Try a connection from the gateway with settings that need not be published" },
      },
    )
    .post(
      "/scan",
      ({ params, body, principal, request }) =>
        scanNetwork(deps, { principal, gatewayId: params.id, signal: request.signal, input: body }),
      {
        can: atGateway("field.use"),
        params: One,
        body: FieldScanRequest,
        response: { 200: FieldScanResult },
        detail: { summary: "Look which addresses of a private network answer, few at a time" },
      },
    )
    .post(
      "/read",
      ({ params, body, principal, request }) =>
        testRead(deps, { principal, gatewayId: params.id, signal: request.signal, input: body }),
      {
        can: atGateway("field.use"),
        params: One,
        body: FieldReadRequest,
        response: { 200: FieldReadResult },
        detail: { summary: "Read tags once on the live device, and count the requests they take" },
      },
    )
    .post(
      "/match",
      ({ params, body, principal, request }) =>
        matchDisplay(deps, { principal, gatewayId: params.id, signal: request.signal, input: body }),
      {
        can: atGateway("field.use"),
        params: One,
        body: FieldMatchRequest,
        response: { 200: FieldMatchResult },
        detail: { summary: "Find the address, type, order and scale that give the number a display shows" },
      },
    );
