import { Completeness, Day } from "@millrace/contract/api/completeness";
import { EntityId, TagNo } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import { type CompletenessDeps, completeness } from "./service.ts";

const Query = asQuery(
  Type.Object({
    gateway: Type.Optional(EntityId),
    device: Type.Optional(EntityId),
    tag: Type.Optional(TagNo),
    from: Day,
    to: Day,
    offsetMinutes: Type.Optional(
      Type.Integer({
        minimum: -840,
        maximum: 840,
        description: "Local time minus UTC, for where a day begins",
      }),
    ),
  }),
);

export const completenessRoutes = (deps: CompletenessDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/completeness", detail: { tags: ["Samples"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query, principal }) => completeness(deps, query, reachOf(principal, "sample.read")), {
      can: inReach("sample.read"),
      query: Query,
      response: { 200: Completeness },
      detail: { summary: "Minutes expected, received and missing of a gateway, a device or a tag, by day" },
    });
