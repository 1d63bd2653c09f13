import { Role, RoleCreate, RoleEdit, RoleName, Roles } from "@millrace/contract/api/role";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, anywhere, type Gatekeeper, whole } from "../../http/access.ts";
import { revisionOf } from "../../http/revision.ts";
import type { People } from "../people/people.ts";
import { createRole, editRole, removeRole, rolesList } from "./service.ts";

const params = Type.Object({ name: RoleName });

export const roleRoutes = ({ people, gatekeeper }: { people: People; gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/roles", detail: { tags: ["People"] } })
    .use(access(gatekeeper))
    .get("/", () => rolesList(people), {
      can: anywhere("person.read"),
      response: { 200: Roles },
      detail: { summary: "Roles: the built-in ones and your own" },
    })
    .post("/", ({ body, principal }) => createRole(people, principal, body), {
      can: whole("person.edit"),
      body: RoleCreate,
      response: { 200: Role },
      detail: { summary: "Add a role" },
    })
    .put(
      "/:name",
      ({ params, body, headers, principal }) =>
        editRole(people, principal, params.name, revisionOf(headers["if-match"]), body),
      {
        can: whole("person.edit"),
        params,
        body: RoleEdit,
        response: { 200: Role },
        detail: { summary: "Change a role of your own. Needs If-Match." },
      },
    )
    .delete("/:name", ({ params, principal }) => removeRole(people, principal, params.name), {
      can: whole("person.edit"),
      params,
      response: { 200: Type.Null() },
      detail: { summary: "Delete a role nobody has" },
    });
