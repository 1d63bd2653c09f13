import { LogQuery, LogRow } from "@millrace/contract/api/log";
import { Page } from "@millrace/contract/api/page";
import type { SQL } from "bun";
import { Elysia } from "elysia";
import { access, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import { logsPage } from "./service.ts";

export const logRoutes = (deps: { sql: SQL; gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/logs", detail: { tags: ["Gateways"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query, principal }) => logsPage(deps, query, reachOf(principal, "gateway.read")), {
      can: inReach("gateway.read"),
      query: asQuery(LogQuery),
      response: { 200: Page(LogRow) },
      detail: { summary: "Log records of the gateways, newest first" },
    });
