import { Page, PageQuery } from "@millrace/contract/api/page";
import { Profile, ProfileCreate } from "@millrace/contract/api/plant";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, anywhere, type Gatekeeper, inReach } from "../../http/access.ts";
import { asQuery } from "../../http/query.ts";
import { entityTag, revisionOf } from "../../http/revision.ts";
import type { ChangeDeps } from "../change.ts";
import { createProfile, editProfile, getProfile, profilesPage, removeProfile } from "./service.ts";

const One = Type.Object({ id: EntityId });

export const profileRoutes = (deps: ChangeDeps & { gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/profiles", detail: { tags: ["Plant"] } })
    .use(access(deps.gatekeeper))
    .get("/", ({ query }) => profilesPage(deps.db, query), {
      can: anywhere("plant.read"),
      query: asQuery(PageQuery),
      response: { 200: Page(Profile) },
      detail: { summary: "Device profiles" },
    })
    .post("/", ({ body, principal }) => createProfile(deps, principal, body), {
      can: inReach("plant.edit"),
      body: ProfileCreate,
      response: { 200: Profile },
      detail: { summary: "Add a device profile" },
    })
    .get(
      "/:id",
      async ({ params, set }) => {
        const profile = await getProfile(deps.db, params.id);
        set.headers.etag = entityTag(profile.revision);
        return profile;
      },
      {
        can: anywhere("plant.read"),
        params: One,
        response: { 200: Profile },
        detail: { summary: "One device profile" },
      },
    )
    .put(
      "/:id",
      ({ params, body, headers, principal }) =>
        editProfile(deps, principal, params.id, revisionOf(headers["if-match"]), body),
      {
        can: inReach("plant.edit"),
        params: One,
        body: ProfileCreate,
        response: { 200: Profile },
        detail: { summary: "Replace a device profile; its devices follow. Needs If-Match." },
      },
    )
    .delete("/:id", ({ params, principal }) => removeProfile(deps, principal, params.id), {
      can: inReach("plant.edit"),
      params: One,
      response: { 200: Type.Null() },
      detail: { summary: "Remove a device profile no device stands on" },
    });
