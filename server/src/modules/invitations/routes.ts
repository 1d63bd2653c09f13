import {
  AcceptByPasskey,
  AcceptByPassword,
  InvitationCreate,
  InvitationLink,
  Invitations,
  InvitationToken,
  InvitationView,
} from "@millrace/contract/api/invitation";
import { PasskeyOptions } from "@millrace/contract/api/passkey";
import { EntityParams } from "@millrace/contract/api/person";
import { SignInAnswer } from "@millrace/contract/api/sign-in";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper, inReach } from "../../http/access.ts";
import { askerOf, type People } from "../people/people.ts";
import { give } from "../people/sign-in/answer-routes.ts";
import { acceptByPasskey, acceptByPassword, beginAcceptByPasskey, viewInvitation } from "./accept.ts";
import { createInvitation, invitationsList, revokeInvitation } from "./service.ts";

const open = "needs the one-time token of the link";

export const invitationRoutes = ({ people, gatekeeper }: { people: People; gatekeeper: Gatekeeper }) =>
  new Elysia({ prefix: "/api/v1/invitations", detail: { tags: ["People"] } })
    .use(access(gatekeeper))
    .get("/", ({ principal }) => invitationsList(people, principal), {
      can: inReach("person.read"),
      response: { 200: Invitations },
      detail: { summary: "Open invitations and reset links" },
    })
    .post("/", ({ body, principal }) => createInvitation(people, principal, body), {
      can: inReach("person.edit"),
      body: InvitationCreate,
      response: { 200: InvitationLink },
      detail: { summary: "Invite somebody: a one-time link, shown once" },
    })
    .delete("/:id", ({ params, principal }) => revokeInvitation(people, principal, params.id), {
      can: inReach("person.edit"),
      params: EntityParams,
      response: { 200: Type.Null() },
      detail: { summary: "Take an invitation back" },
    })
    .post(
      "/look",
      ({ body, request, server }) => viewInvitation(people, askerOf(request, server), body.token),
      {
        open,
        body: InvitationToken,
        response: { 200: InvitationView },
        detail: { summary: "What a link is for" },
      },
    )
    .post(
      "/accept/password",
      async ({ body, request, server, set }) =>
        give(set, await acceptByPassword(people, askerOf(request, server), body)),
      {
        open,
        body: AcceptByPassword,
        response: { 200: SignInAnswer },
        detail: { summary: "Accept, by a password" },
      },
    )
    .post(
      "/accept/passkey/options",
      async ({ body, request, server, set }) => {
        const { options, cookie } = await beginAcceptByPasskey(people, askerOf(request, server), body.token);
        return give(set, { body: options, cookies: [cookie] });
      },
      {
        open,
        body: InvitationToken,
        response: { 200: PasskeyOptions },
        detail: { summary: "What to make a passkey with" },
      },
    )
    .post(
      "/accept/passkey",
      async ({ body, request, server, set }) =>
        give(set, await acceptByPasskey(people, askerOf(request, server), body)),
      {
        open,
        body: AcceptByPasskey,
        response: { 200: SignInAnswer },
        detail: { summary: "Accept, by a passkey" },
      },
    );
