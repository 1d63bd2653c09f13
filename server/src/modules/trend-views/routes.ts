import { Page, PageQuery } from "@millrace/contract/api/page";
import { TrendView, TrendViewCreate } from "@millrace/contract/api/trend";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import { entityTag, revisionOf } from "../../http/revision.ts";
import type { ChangeDeps } from "../change.ts";
import { createTrendView, editTrendView, getTrendView, removeTrendView, trendViewsPage } from "./service.ts";

const One = Type.Object({ id: EntityId });

export const trendViewRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/trend-views", detail: { tags: ["Trends"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query, principal }) => trendViewsPage(deps.db, query, reachOf(principal, "sample.read")), {
      can: inReach("sample.read"),
      query: asQuery(PageQuery),
      response: { 200: Page(TrendView) },
      detail: { summary: "Saved views of the trends screen" },
    })
    .post("/", ({ body, principal }) => createTrendView(deps, principal, body), {
      can: inReach("trend.edit"),
      body: TrendViewCreate,
      response: { 200: TrendView },
      detail: { summary: "Save a view" },
    })
    .get(
      "/:id",
      async ({ params, set, principal }) => {
        const view = await getTrendView(deps.db, params.id, reachOf(principal, "sample.read"));
        set.headers.etag = entityTag(view.revision);
        return view;
      },
      {
        can: inReach("sample.read"),
        params: One,
        response: { 200: TrendView },
        detail: { summary: "One saved view" },
      },
    )
    .put(
      "/:id",
      ({ params, body, headers, principal }) =>
        editTrendView(deps, principal, params.id, revisionOf(headers["if-match"]), body),
      {
        can: inReach("trend.edit"),
        params: One,
        body: TrendViewCreate,
        response: { 200: TrendView },
        detail: { summary: "Replace a saved view. Needs If-Match." },
      },
    )
    .delete(
      "/:id",
      ({ params, headers, principal }) => {
        const ifMatch = headers["if-match"];
        return removeTrendView(
          deps,
          principal,
          params.id,
          ifMatch === undefined ? null : revisionOf(ifMatch),
        );
      },
      {
        can: inReach("trend.edit"),
        params: One,
        response: { 200: Type.Null() },
        detail: { summary: "Delete a saved view; with If-Match only the revision named" },
      },
    );
