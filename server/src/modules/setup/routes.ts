import { Me, SetupRequest, SetupState } from "@millrace/contract/api/person";
import { Elysia } from "elysia";
import { access, type Gatekeeper } from "../../http/access.ts";
import { requestFrom } from "../../http/request-from.ts";
import type { Setup } from "./service.ts";

export const setupRoutes = (deps: { setup: Setup; gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/setup", detail: { tags: ["People"] } })
    .use(access(deps.gatekeeper))
    .get("/", async () => ({ needed: await deps.setup.needed() }), {
      open: "the first page must know whether to show the set-up",
      response: { 200: SetupState },
      detail: { summary: "Whether the first administrator is still to be made" },
    })
    .post("/", ({ body, request, server }) => deps.setup.finish(body, requestFrom(request, server)), {
      open: "needs the one-time token from the hub's console",
      body: SetupRequest,
      response: { 200: Me },
      detail: { summary: "Make the first administrator" },
    });
