import {
  GatewayCommand,
  GatewayCommands,
  LogLevelRequest,
  RestartRequest,
  restartCommand,
} from "@millrace/contract/api/command";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { PlainCommandBody } from "@millrace/contract/wire/command";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, atCommand, atGateway, type Gatekeeper } from "../../http/access.ts";
import { type CommandDeps, gatewayCommands, getCommand, sendCommand } from "./service.ts";

const One = Type.Object({ id: EntityId });

export const commandRoutes = (deps: CommandDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1", detail: { tags: ["Gateways"] } })
    .use(access(deps.gatekeeper))
    .post(
      "/gateways/:id/commands",
      async ({ params, body, principal, status }) =>
        status(202, await sendCommand(deps, principal, params.id, body)),
      {
        can: atGateway("gateway.edit"),
        params: One,
        // A write to a machine has rules and a way of its own (`writes/`).
        body: PlainCommandBody,
        response: { 202: GatewayCommand },
        detail: { summary: "Ask a connected gateway to do something now; nothing is kept for later" },
      },
    )
    .post(
      "/gateways/:id/restart",
      async ({ params, body, principal, status }) =>
        status(202, await sendCommand(deps, principal, params.id, restartCommand(body))),
      {
        can: atGateway("gateway.edit"),
        params: One,
        body: RestartRequest,
        response: { 202: GatewayCommand },
        detail: { summary: "Restart the program of a connected gateway, or its link to one device" },
      },
    )
    .post(
      "/gateways/:id/log-level",
      async ({ params, body, principal, status }) =>
        status(202, await sendCommand(deps, principal, params.id, { kind: "setLogLevel", ...body })),
      {
        can: atGateway("gateway.edit"),
        params: One,
        body: LogLevelRequest,
        response: { 202: GatewayCommand },
        detail: { summary: "Let a connected gateway send more or less of its log for some minutes" },
      },
    )
    .get("/gateways/:id/commands", ({ params }) => gatewayCommands(deps, params.id), {
      can: atGateway("gateway.read"),
      params: One,
      response: { 200: GatewayCommands },
      detail: { summary: "The newest commands of one gateway and what became of them" },
    })
    .get("/commands/:id", ({ params }) => getCommand(deps, params.id), {
      can: atCommand("gateway.read"),
      params: One,
      response: { 200: GatewayCommand },
      detail: { summary: "One command and what became of it" },
    });
