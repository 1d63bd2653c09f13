import { ConfigPlan, Draft, DraftCreate, DraftHead, DraftPlan } from "@millrace/contract/api/config";
import { Page } from "@millrace/contract/api/page";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, whole } from "../../http/access.ts";
import { entityTag, revisionOf } from "../../http/revision.ts";
import type { ChangeDeps } from "../change.ts";
import {
  allDrafts,
  createDraft,
  editDraft,
  getDraft,
  planDraft,
  publishDraft,
  removeDraft,
} from "./service.ts";

const One = Type.Object({ id: EntityId });

export const draftRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/drafts", detail: { tags: ["Configuration"] } })
    .use(access(deps.gatekeeper))
    .get("/", () => allDrafts(deps.db), {
      can: whole("plant.read"),
      response: { 200: Page(DraftHead) },
      detail: { summary: "Changes that are prepared and not published" },
    })
    .post("/", ({ body, principal }) => createDraft(deps, principal, body), {
      can: whole("plant.edit"),
      body: DraftCreate,
      response: { 200: Draft },
      detail: { summary: "Keep a part of the configuration's document as a draft" },
    })
    .get(
      "/:id",
      async ({ params, set }) => {
        const draft = await getDraft(deps.db, params.id);
        set.headers.etag = entityTag(draft.revision);
        return draft;
      },
      { can: whole("plant.read"), params: One, response: { 200: Draft }, detail: { summary: "One draft" } },
    )
    .put(
      "/:id",
      ({ params, body, headers, principal }) =>
        editDraft(deps, principal, params.id, revisionOf(headers["if-match"]), body),
      {
        can: whole("plant.edit"),
        params: One,
        body: DraftCreate,
        response: { 200: Draft },
        detail: { summary: "Replace a draft. Needs If-Match." },
      },
    )
    .delete("/:id", ({ params, principal }) => removeDraft(deps, principal, params.id), {
      can: whole("plant.edit"),
      params: One,
      response: { 200: Type.Null() },
      detail: { summary: "Delete a draft" },
    })
    .get("/:id/plan", ({ params, principal }) => planDraft(deps, principal, params.id), {
      can: whole("plant.read"),
      params: One,
      response: { 200: DraftPlan },
      detail: { summary: "What publishing it would do now, and what others changed meanwhile" },
    })
    .post(
      "/:id/publish",
      ({ params, body, principal }) =>
        publishDraft(deps, principal, params.id, {
          comment: body.comment ?? "",
          overwrite: body.overwrite === true,
        }),
      {
        can: whole("plant.edit"),
        params: One,
        body: Type.Object({
          comment: Type.Optional(Type.String({ maxLength: 500 })),
          overwrite: Type.Optional(
            Type.Boolean({ description: "Also what others changed since the draft was made" }),
          ),
        }),
        response: { 200: ConfigPlan },
        detail: { summary: "Publish a draft as the next version" },
      },
    );
