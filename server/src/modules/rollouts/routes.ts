import { Page, PageQuery } from "@millrace/contract/api/page";
import { Rollout, RolloutCreate } from "@millrace/contract/api/rollout";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, whole } from "../../http/access.ts";
import { asQuery } from "../../http/query.ts";
import { revisionOf } from "../../http/revision.ts";
import { getRollout, type RolloutDeps, rolloutsPage, startRollout, takeBack } from "./service.ts";

const One = Type.Object({ id: EntityId });

export const rolloutRoutes = (deps: RolloutDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/rollouts", detail: { tags: ["Configuration"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query }) => rolloutsPage(deps.db, query), {
      can: whole("plant.read"),
      query: asQuery(PageQuery),
      response: { 200: Page(Rollout) },
      detail: { summary: "Rollouts, newest first" },
    })
    .get("/:id", ({ params }) => getRollout(deps.db, params.id), {
      can: whole("plant.read"),
      params: One,
      response: { 200: Rollout },
      detail: { summary: "One rollout, with each gateway's figures before and after" },
    })
    .post(
      "/",
      ({ body, headers, principal }) => {
        const base = headers["if-match"] === undefined ? null : revisionOf(headers["if-match"]);
        return startRollout(deps, principal, body, base);
      },
      {
        can: whole("plant.edit"),
        body: RolloutCreate,
        response: { 200: Rollout },
        detail: {
          summary: "Publish a document stage by stage",
          description:
            "One gateway first, then a share, then all. Each is watched; when one gets worse, the change is taken back everywhere by itself.",
        },
      },
    )
    .post(
      "/:id/stop",
      ({ params, principal }) =>
        takeBack(deps, principal, params.id, { reason: `Stopped by ${principal.name}.` }),
      {
        can: whole("plant.edit"),
        params: One,
        response: { 200: Rollout },
        detail: { summary: "Stop a running rollout and take its change back" },
      },
    );
