import { Instant, Page, PageQuery } from "@millrace/contract/api/page";
import { Annotation, AnnotationCreate } from "@millrace/contract/api/trend";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, inReach } from "../../http/access.ts";
import { reachOf } from "../../http/principal.ts";
import { asQuery } from "../../http/query.ts";
import type { ChangeDeps } from "../change.ts";
import { annotationsPage, createAnnotation, removeAnnotation } from "./service.ts";

const Query = asQuery(
  Type.Object({
    from: Type.Optional(Instant),
    to: Type.Optional(Instant),
    tag: Type.Optional(
      Type.String({
        pattern: "^[1-9]\\d{0,9}(,[1-9]\\d{0,9}){0,31}$",
        description: "Number of a tag, or several with commas between; those of the whole plant come too",
        examples: ["17,18"],
      }),
    ),
    ...PageQuery.properties,
  }),
);

export const annotationRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/annotations", detail: { tags: ["Trends"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query, principal }) => annotationsPage(deps.db, query, reachOf(principal, "sample.read")), {
      can: inReach("sample.read"),
      query: Query,
      response: { 200: Page(Annotation) },
      detail: { summary: "Notes that touch [from, to), in the order of their beginning" },
    })
    .post("/", ({ body, principal }) => createAnnotation(deps, principal, body), {
      can: inReach("trend.edit"),
      body: AnnotationCreate,
      response: { 200: Annotation },
      detail: { summary: "Write a note at a time or a stretch of time, for a tag or for the whole plant" },
    })
    .delete("/:id", ({ params, principal }) => removeAnnotation(deps, principal, params.id), {
      can: inReach("trend.edit"),
      params: Type.Object({ id: EntityId }),
      response: { 200: Type.Null() },
      detail: { summary: "Delete a note" },
    });
