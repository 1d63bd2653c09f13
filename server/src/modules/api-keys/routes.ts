import { ApiKeyCreate, ApiKeys, NewApiKey } from "@millrace/contract/api/api-key";
import { EntityParams } from "@millrace/contract/api/person";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, inReach } from "../../http/access.ts";
import type { People } from "../people/people.ts";
import { apiKeysList, createApiKey, revokeApiKey } from "./service.ts";

export const apiKeyRoutes = ({ people, gatekeeper }: { people: People; gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/api-keys", detail: { tags: ["People"] } })
    .use(access(gatekeeper))
    .get("/", ({ principal }) => apiKeysList(people, principal), {
      can: inReach("person.read"),
      response: { 200: ApiKeys },
      detail: { summary: "Keys of programs and kiosks" },
    })
    .post("/", ({ body, principal }) => createApiKey(people, principal, body), {
      can: inReach("person.edit"),
      body: ApiKeyCreate,
      response: { 200: NewApiKey },
      detail: { summary: "Make a key; it is shown once" },
    })
    .delete("/:id", ({ params, principal }) => revokeApiKey(people, principal, params.id), {
      can: inReach("person.edit"),
      params: EntityParams,
      response: { 200: Type.Null() },
      detail: { summary: "Revoke a key" },
    });
