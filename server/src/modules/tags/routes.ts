import { Page, PageQuery } from "@millrace/contract/api/page";
import { Tag } from "@millrace/contract/api/plant";
import { EntityId, TagNo } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Db } from "../../db/client.ts";
import { access, atTag, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import { getTag, tagsPage } from "./service.ts";

const TagQuery = Type.Composite([
  PageQuery,
  Type.Object({
    q: Type.Optional(Type.String({ maxLength: 200, description: "Part of the path, any case" })),
    deviceId: Type.Optional(EntityId),
    gatewayId: Type.Optional(EntityId),
  }),
]);

export const tagRoutes = (deps: { db: Db; gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/tags", detail: { tags: ["Plant"] } })
    .use(access(deps.gatekeeper))
    .get(
      "/",
      ({ query, principal }) => tagsPage(deps.db, { ...query, reach: reachOf(principal, "plant.read") }),
      {
        can: inReach("plant.read"),
        query: asQuery(TagQuery),
        response: { 200: Page(Tag) },
        detail: { summary: "Tags in the order of their path" },
      },
    )
    .get("/:tagNo", ({ params }) => getTag(deps.db, params.tagNo), {
      can: atTag("plant.read"),
      params: asQuery(Type.Object({ tagNo: TagNo })),
      response: { 200: Tag },
      detail: { summary: "One tag" },
    });
