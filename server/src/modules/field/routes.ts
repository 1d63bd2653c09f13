import {
  FieldBrowseRequest,
  FieldBrowseResult,
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
import type { Principal } from "../../http/principal.ts";
import {
  browseDevice,
  type FieldDeps,
  matchDisplay,
  scanNetwork,
  testConnection,
  testRead,
} from "./service.ts";

const One = Type.Object({ id: EntityId });

/** What every tool is told: who asks which gateway for what, and the end of their patience. */
const asked = <T>(context: { params: { id: string }; body: T; principal: Principal; request: Request }) => ({
  principal: context.principal,
  gatewayId: context.params.id,
  signal: context.request.signal,
  input: context.body,
});

/** Tools at the device. They only read. */
export const fieldRoutes = (deps: FieldDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/gateways/:id/field", detail: { tags: ["Field tools"] } })
    .use(access(deps.gatekeeper))
    .post("/connection", (context) => testConnection(deps, asked(context)), {
      can: atGateway("field.use"),
      params: One,
      body: FieldConnectionRequest,
      response: { 200: FieldConnectionResult },
      detail: { summary: "Try a connection from the gateway with settings that need not be published" },
    })
    .post("/scan", (context) => scanNetwork(deps, asked(context)), {
      can: atGateway("field.use"),
      params: One,
      body: FieldScanRequest,
      response: { 200: FieldScanResult },
      detail: { summary: "Look which addresses of a private network answer, few at a time" },
    })
    .post("/read", (context) => testRead(deps, asked(context)), {
      can: atGateway("field.use"),
      params: One,
      body: FieldReadRequest,
      response: { 200: FieldReadResult },
      detail: { summary: "Read tags once on the live device, and count the requests they take" },
    })
    .post("/browse", (context) => browseDevice(deps, asked(context)), {
      can: atGateway("field.use"),
      params: One,
      body: FieldBrowseRequest,
      response: { 200: FieldBrowseResult },
      detail: { summary: "Look through a device's own address space, one place and one page at a time" },
    })
    .post("/match", (context) => matchDisplay(deps, asked(context)), {
      can: atGateway("field.use"),
      params: One,
      body: FieldMatchRequest,
      response: { 200: FieldMatchResult },
      detail: { summary: "Find the address, type, order and scale that give the number a display shows" },
    });
