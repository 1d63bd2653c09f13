import { Page, PageQuery } from "@millrace/contract/api/page";
import { Site, SiteCreate } from "@millrace/contract/api/plant";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, atSite, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import type { ChangeDeps } from "../change.ts";
import { createSite, removeSite, sitesPage } from "./service.ts";

export const siteRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/sites", detail: { tags: ["Plant"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query, principal }) => sitesPage(deps.db, query, reachOf(principal, "plant.read")), {
      can: inReach("plant.read"),
      query: asQuery(PageQuery),
      response: { 200: Page(Site) },
      detail: { summary: "Enterprise, sites, areas, lines and cells" },
    })
    .post("/", ({ body, principal }) => createSite(deps, principal, body), {
      can: inReach("plant.edit"),
      body: SiteCreate,
      response: { 200: Site },
      detail: { summary: "Add a place" },
    })
    .delete("/:id", ({ params, principal }) => removeSite(deps, principal, params.id), {
      can: atSite("plant.edit"),
      params: Type.Object({ id: EntityId }),
      response: { 200: Type.Null() },
      detail: { summary: "Remove a place nothing stands at" },
    });
