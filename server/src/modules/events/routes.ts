import { EventRow } from "@millrace/contract/api/event";
import { Instant, Page, PageQuery } from "@millrace/contract/api/page";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import type { SQL } from "bun";
import { Elysia } from "elysia";
import { access, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import { eventsPage } from "./service.ts";

const Query = asQuery(
  Type.Object({
    gateway: Type.Optional(EntityId),
    from: Type.Optional(Instant),
    to: Type.Optional(Instant),
    code: Type.Optional(
      Type.String({
        pattern: "^[a-z][A-Za-z]*\\.[a-z][A-Za-z]*(,[a-z][A-Za-z]*\\.[a-z][A-Za-z]*){0,31}$",
        description: "One code, or several with commas between",
        examples: ["buffer.overflowed,buffer.damaged"],
      }),
    ),
    ...PageQuery.properties,
  }),
);

export const eventRoutes = (deps: { sql: SQL; gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/events", detail: { tags: ["Gateways"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query, principal }) => eventsPage(deps, query, reachOf(principal, "gateway.read")), {
      can: inReach("gateway.read"),
      query: Query,
      response: { 200: Page(EventRow) },
      detail: { summary: "What gateways told about themselves, newest first" },
    });
