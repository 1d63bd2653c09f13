import { Latest } from "@millrace/contract/api/history";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Db } from "../../db/client.ts";
import { access, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import type { LatestCache } from "./cache.ts";
import { latestValues } from "./service.ts";

const Query = Type.Object({
  tags: Type.Optional(
    Type.String({
      pattern: "^\\d{1,10}(,\\d{1,10})*$",
      maxLength: 60_000,
      description: "Tag numbers with commas between",
    }),
  ),
  deviceId: Type.Optional(EntityId),
  gatewayId: Type.Optional(EntityId),
});

export const latestRoutes = (deps: { db: Db; cache: LatestCache; gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/latest", detail: { tags: ["Samples"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query, principal }) => latestValues(deps, query, reachOf(principal, "sample.read")), {
      can: inReach("sample.read"),
      query: Query,
      response: { 200: Type.Object({ items: Type.Array(Latest) }) },
      detail: { summary: "Latest values by event time" },
    });
