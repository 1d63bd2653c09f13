import { GapCauseName, GapRow } from "@millrace/contract/api/gap";
import { Instant, Page, PageQuery } from "@millrace/contract/api/page";
import { EntityId, TagNo } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import type { SQL } from "bun";
import { Elysia } from "elysia";
import { access, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import { gapsPage } from "./service.ts";

const Query = asQuery(
  Type.Object({
    gateway: Type.Optional(EntityId),
    tag: Type.Optional(TagNo),
    from: Type.Optional(Instant),
    to: Type.Optional(Instant),
    cause: Type.Optional(GapCauseName),
    ...PageQuery.properties,
  }),
);

export const gapRoutes = (deps: { sql: SQL; gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/gaps", detail: { tags: ["Samples"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query, principal }) => gapsPage(deps, query, reachOf(principal, "sample.read")), {
      can: inReach("sample.read"),
      query: Query,
      response: { 200: Page(GapRow) },
      detail: { summary: "Stretches known to be missing or thinned, the latest first" },
    });
