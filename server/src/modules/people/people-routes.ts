import { InvitationLink, ResetLinkCreate } from "@millrace/contract/api/invitation";
import { Page } from "@millrace/contract/api/page";
import { Person, PersonEdit, PersonParams, PersonQuery } from "@millrace/contract/api/person";
import { Ended, SessionParams, Sessions } from "@millrace/contract/api/session";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, inReach } from "../../http/access.ts";
import { asQuery } from "../../http/query.ts";
import { entityTag, revisionOf } from "../../http/revision.ts";
import { makeResetLink } from "../invitations/service.ts";
import {
  editPerson,
  getPerson,
  manageable,
  peoplePage,
  removePerson,
  setDisabled,
  unlockPerson,
} from "./manage.ts";
import { endSessions, sessionsOf } from "./session/sessions.ts";
import type { SignInDeps } from "./sign-in/routes.ts";

const prefix = "/api/v1/people";
const detail = { tags: ["People"] };
const [read, edit] = [inReach("person.read"), inReach("person.edit")];
const params = PersonParams;

/** People, for those who may see or change them. What changes somebody takes a fresh sign-in of who does it. */
export const managePeopleRoutes = (deps: SignInDeps) =>
  new Elysia().use(personRoutes(deps)).use(personStateRoutes(deps)).use(personSessionRoutes(deps));

const personRoutes = ({ people, gatekeeper }: SignInDeps) =>
  new Elysia({ prefix, detail })
    .use(access(gatekeeper))
    .get("/", ({ query, principal }) => peoplePage(people, principal, query), {
      can: read,
      query: asQuery(PersonQuery),
      response: { 200: Page(Person) },
      detail: { summary: "People" },
    })
    .get(
      "/:id",
      async ({ params, principal, set }) => {
        const person = await getPerson(people, principal, params.id);
        set.headers.etag = entityTag(person.revision);
        return person;
      },
      { can: read, params, response: { 200: Person }, detail: { summary: "One person" } },
    )
    .put(
      "/:id",
      ({ params, body, headers, principal }) =>
        editPerson(people, principal, params.id, revisionOf(headers["if-match"]), body),
      {
        can: edit,
        params,
        body: PersonEdit,
        response: { 200: Person },
        detail: { summary: "Name and roles of a person. Needs If-Match." },
      },
    )
    .delete("/:id", ({ params, principal }) => removePerson(people, principal, params.id), {
      can: edit,
      params,
      response: { 200: Type.Null() },
      detail: { summary: "Remove a person" },
    });

const personStateRoutes = ({ people, gatekeeper }: SignInDeps) =>
  new Elysia({ prefix: `${prefix}/:id`, detail })
    .use(access(gatekeeper))
    .post("/disable", ({ params, principal }) => setDisabled(people, principal, params.id, true), {
      can: edit,
      params,
      response: { 200: Person },
      detail: { summary: "Keep a person out, and end their sessions" },
    })
    .post("/enable", ({ params, principal }) => setDisabled(people, principal, params.id, false), {
      can: edit,
      params,
      response: { 200: Person },
      detail: { summary: "Let a person in again" },
    })
    .post("/unlock", ({ params, principal }) => unlockPerson(people, principal, params.id), {
      can: edit,
      params,
      response: { 200: Type.Null() },
      detail: { summary: "Forget wrong passwords and codes" },
    })
    .post("/reset-link", ({ params, body, principal }) => makeResetLink(people, principal, params.id, body), {
      can: edit,
      params,
      body: ResetLinkCreate,
      response: { 200: InvitationLink },
      detail: { summary: "A one-time link to set a new way to sign in" },
    });

const personSessionRoutes = ({ people, gatekeeper }: SignInDeps) =>
  new Elysia({ prefix: `${prefix}/:id/sessions`, detail })
    .use(access(gatekeeper))
    .get(
      "/",
      async ({ params, principal }) => {
        await getPerson(people, principal, params.id);
        return await sessionsOf(people, params.id, principal);
      },
      { can: read, params, response: { 200: Sessions }, detail: { summary: "Sessions of a person" } },
    )
    .delete(
      "/",
      async ({ params, principal }) => {
        await manageable(people.db, principal, params.id);
        return await endSessions(people, principal, params.id, "all");
      },
      { can: edit, params, response: { 200: Ended }, detail: { summary: "End all sessions of a person" } },
    )
    .delete(
      "/:sessionId",
      async ({ params, principal }) => {
        await manageable(people.db, principal, params.id);
        return await endSessions(people, principal, params.id, { only: params.sessionId });
      },
      {
        can: edit,
        params: Type.Composite([PersonParams, SessionParams]),
        response: { 200: Ended },
        detail: { summary: "End one session of a person" },
      },
    );
