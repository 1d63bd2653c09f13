import {
  Factors,
  PasswordChange,
  PinSet,
  RecoveryCodes,
  TotpConfirm,
  TotpStart,
} from "@millrace/contract/api/factor";
import { Passkey, PasskeyCreate, PasskeyEdit, PasskeyOptions } from "@millrace/contract/api/passkey";
import { EntityParams, Me } from "@millrace/contract/api/person";
import { Ended, SessionParams, Sessions } from "@millrace/contract/api/session";
import { PasskeySignIn, PasswordStepUp } from "@millrace/contract/api/sign-in";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access } from "../../http/access.ts";
import {
  addPasskey,
  beginPasskey,
  beginTotp,
  changePassword,
  confirmTotp,
  factorsOf,
  nameOwnPasskey,
  removeOwnPassword,
  removeOwnPin,
  removePasskey,
  removeTotp,
  renewRecoveryCodes,
  setOwnPin,
} from "./factor/factors.ts";
import { askForPasskey } from "./factor/passkeys.ts";
import { askerOf, personOf } from "./people.ts";
import { meOf } from "./service.ts";
import { endSessions, sessionsOf } from "./session/sessions.ts";
import { give } from "./sign-in/answer-routes.ts";
import type { SignInDeps } from "./sign-in/routes.ts";
import { stepUpByPasskey, stepUpByPassword } from "./sign-in/sign-in.ts";

const self = "it is about oneself";
const prefix = "/api/v1/me";
const detail = { tags: ["People"] };
const done = { 200: Type.Null() };

/** Everything about oneself. What changes a way to sign in takes somebody who just showed who they are. */
export const meRoutes = (deps: SignInDeps) =>
  new Elysia()
    .use(ownSessionRoutes(deps))
    .use(stepUpRoutes(deps))
    .use(factorRoutes(deps))
    .use(passkeyRoutes(deps));

const ownSessionRoutes = ({ people, gatekeeper }: SignInDeps) =>
  new Elysia({ prefix, detail })
    .use(access(gatekeeper))
    .get("/", ({ principal }) => meOf(principal), {
      self,
      response: { 200: Me },
      detail: { summary: "Who is signed in" },
    })
    .post("/activity", () => null, {
      self,
      response: done,
      detail: { summary: "Somebody is there; on a shared tablet the session ends without it" },
    })
    .get("/sessions", ({ principal }) => sessionsOf(people, personOf(principal).id, principal), {
      self,
      response: { 200: Sessions },
      detail: { summary: "One's own sessions" },
    })
    .delete(
      "/sessions/:sessionId",
      ({ params, principal }) =>
        endSessions(people, principal, personOf(principal).id, { only: params.sessionId }),
      {
        self,
        params: SessionParams,
        response: { 200: Ended },
        detail: { summary: "End one of one's own sessions" },
      },
    )
    .delete(
      "/sessions",
      ({ principal }) => {
        const { id, session } = personOf(principal);
        return endSessions(people, principal, id, { but: session.id });
      },
      { self, response: { 200: Ended }, detail: { summary: "End all of one's other sessions" } },
    );

const stepUpRoutes = ({ people, gatekeeper }: SignInDeps) =>
  new Elysia({ prefix: `${prefix}/step-up`, detail })
    .use(access(gatekeeper))
    .post(
      "/password",
      ({ body, principal, request, server }) =>
        stepUpByPassword(people, askerOf(request, server), principal, body),
      {
        self,
        body: PasswordStepUp,
        response: done,
        detail: { summary: "Show again who one is, by password" },
      },
    )
    .post(
      "/passkey/options",
      async ({ principal, set }) => {
        const { options, cookie } = await askForPasskey(people, "passkeyStepUp", personOf(principal).id);
        return give(set, { body: options, cookies: [cookie] });
      },
      { self, response: { 200: PasskeyOptions }, detail: { summary: "A challenge for one's own passkeys" } },
    )
    .post(
      "/passkey",
      ({ body, principal, request, server }) =>
        stepUpByPasskey(people, askerOf(request, server), principal, body.credential),
      { self, body: PasskeySignIn, response: done, detail: { summary: "Show again who one is, by passkey" } },
    );

const factorRoutes = ({ people, sso, gatekeeper }: SignInDeps) =>
  new Elysia({ prefix, detail })
    .use(access(gatekeeper))
    .get("/factors", ({ principal }) => factorsOf(people, principal, sso?.name ?? null), {
      self,
      response: { 200: Factors },
      detail: { summary: "One's own ways to sign in" },
    })
    .put(
      "/password",
      async ({ body, principal, request, server, set }) =>
        give(set, await changePassword(people, askerOf(request, server), principal, body)),
      { self, body: PasswordChange, response: done, detail: { summary: "Set one's password" } },
    )
    .delete("/password", ({ principal }) => removeOwnPassword(people, principal), {
      self,
      response: done,
      detail: { summary: "Remove one's password, where a passkey or single sign-on is left" },
    })
    .post("/totp", ({ principal }) => beginTotp(people, principal), {
      self,
      response: { 200: TotpStart },
      detail: { summary: "A secret for an authenticator app" },
    })
    .post("/totp/confirm", ({ body, principal }) => confirmTotp(people, principal, body.code), {
      self,
      body: TotpConfirm,
      response: { 200: RecoveryCodes },
      detail: { summary: "Confirm the app by its code" },
    })
    .delete("/totp", ({ principal }) => removeTotp(people, principal), {
      self,
      response: done,
      detail: { summary: "Remove the authenticator app" },
    })
    .post("/recovery-codes", ({ principal }) => renewRecoveryCodes(people, principal), {
      self,
      response: { 200: RecoveryCodes },
      detail: { summary: "New recovery codes in the place of the old ones" },
    })
    .put("/pin", ({ body, principal }) => setOwnPin(people, principal, body.pin), {
      self,
      body: PinSet,
      response: done,
      detail: { summary: "Set one's PIN for shared tablets" },
    })
    .delete("/pin", ({ principal }) => removeOwnPin(people, principal), {
      self,
      response: done,
      detail: { summary: "Remove one's PIN" },
    });

const passkeyRoutes = ({ people, gatekeeper }: SignInDeps) =>
  new Elysia({ prefix: `${prefix}/passkeys`, detail })
    .use(access(gatekeeper))
    .post(
      "/options",
      async ({ principal, set }) => {
        const { options, cookie } = await beginPasskey(people, principal);
        return give(set, { body: options, cookies: [cookie] });
      },
      { self, response: { 200: PasskeyOptions }, detail: { summary: "What to make a passkey with" } },
    )
    .post(
      "/",
      ({ body, principal, request, server }) => addPasskey(people, askerOf(request, server), principal, body),
      { self, body: PasskeyCreate, response: { 200: Passkey }, detail: { summary: "Add a passkey" } },
    )
    .put("/:id", ({ params, body, principal }) => nameOwnPasskey(people, principal, params.id, body.name), {
      self,
      params: EntityParams,
      body: PasskeyEdit,
      response: { 200: Passkey },
      detail: { summary: "Name a passkey" },
    })
    .delete("/:id", ({ params, principal }) => removePasskey(people, principal, params.id), {
      self,
      params: EntityParams,
      response: done,
      detail: { summary: "Remove a passkey" },
    });
