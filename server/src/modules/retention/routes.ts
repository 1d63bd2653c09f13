import { Page } from "@millrace/contract/api/page";
import { RetentionClass } from "@millrace/contract/api/retention";
import { RetentionClassName } from "@millrace/contract/vocabulary/tag";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, anywhere, type Gatekeeper, whole } from "../../http/access.ts";
import type { ChangeDeps } from "../change.ts";
import { allClasses, createClass, editClass, removeClass } from "./service.ts";

const One = Type.Object({ name: RetentionClassName });
const Confirm = Type.Object({
  confirm: Type.Optional(
    Type.Union([Type.Literal("true"), Type.Literal("false")], {
      description: "true: shorten it, whatever is lost by that",
    }),
  ),
});

export const retentionRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/retention", detail: { tags: ["Historian"] } })
    .use(access(deps.gatekeeper))
    .get("/", () => allClasses(deps.db), {
      can: anywhere("plant.read"),
      response: { 200: Page(RetentionClass) },
      detail: { summary: "Classes of tags by how long their history is kept" },
    })
    .post("/", ({ body, principal }) => createClass(deps, principal, body), {
      can: whole("system.edit"),
      body: RetentionClass,
      response: { 200: RetentionClass },
      detail: { summary: "Add a class" },
    })
    .put(
      "/:name",
      ({ params, query, body, principal }) =>
        editClass(deps, principal, params.name, body, query.confirm === "true"),
      {
        can: whole("system.edit"),
        params: One,
        query: Confirm,
        body: RetentionClass,
        response: { 200: RetentionClass },
        detail: {
          summary:
            "Change how long a class is kept. A shorter time needs confirm=true; without it the answer says what would go.",
        },
      },
    )
    .delete("/:name", ({ params, principal }) => removeClass(deps, principal, params.name), {
      can: whole("system.edit"),
      params: One,
      response: { 200: Type.Null() },
      detail: { summary: "Remove a class no tag is of and nothing is stored of" },
    });
