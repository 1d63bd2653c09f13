import { PasskeyOptions } from "@millrace/contract/api/passkey";
import {
  KioskSignIn,
  PasskeySignIn,
  PasswordSignIn,
  PinSignIn,
  SecondFactor,
  SignInAnswer,
  SignInWays,
  SsoStart,
  SsoStarted,
} from "@millrace/contract/api/sign-in";
import { AppError } from "@millrace/contract/error/app-error";
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { access, type Gatekeeper } from "../../../http/access.ts";
import { whoOf } from "../../../http/principal.ts";
import type { Sso } from "../../sso/service.ts";
import { askForPasskey, canPasskey } from "../factor/passkeys.ts";
import { askerOf, type People } from "../people.ts";
import { signOut } from "../session/sessions.ts";
import { openKiosk } from "../shared/kiosk.ts";
import { sharedOf, signInByPin } from "../shared/pins.ts";
import { give } from "./answer-routes.ts";
import { signInByCode, signInByPasskey, signInByPassword } from "./sign-in.ts";

export interface SignInDeps {
  people: People;
  sso: Sso | null;
  gatekeeper: Gatekeeper;
}

const open = "signing in comes before having a permission";

/** The ways in. What is not here does not exist: nobody can sign up, and no mail resets a password. */
export const signInRoutes = ({ people, sso, gatekeeper }: SignInDeps) =>
  new Elysia({ prefix: "/api/v1/sign-in", detail: { tags: ["People"] } })
    .use(access(gatekeeper))
    .get(
      "/",
      async ({ request, server }) => {
        const { headers, host } = askerOf(request, server);
        const name = sso === null ? null : { name: sso.name };
        return { passkey: canPasskey(people, host), sso: name, shared: await sharedOf(people, headers) };
      },
      {
        open,
        response: { 200: SignInWays },
        detail: { summary: "What the sign-in page offers in this browser" },
      },
    )
    .post(
      "/password",
      async ({ body, request, server, set }) =>
        give(set, await signInByPassword(people, askerOf(request, server), body)),
      { open, body: PasswordSignIn, response: { 200: SignInAnswer }, detail: { summary: "By password" } },
    )
    .post(
      "/second-factor",
      async ({ body, request, server, set }) =>
        give(set, await signInByCode(people, askerOf(request, server), body.code)),
      {
        open,
        body: SecondFactor,
        response: { 200: SignInAnswer },
        detail: { summary: "The code after a password" },
      },
    )
    .post(
      "/passkey/options",
      async ({ set }) => {
        const { options, cookie } = await askForPasskey(people, "passkeySignIn");
        return give(set, { body: options, cookies: [cookie] });
      },
      { open, response: { 200: PasskeyOptions }, detail: { summary: "A challenge for a passkey" } },
    )
    .post(
      "/passkey",
      async ({ body, request, server, set }) =>
        give(set, await signInByPasskey(people, askerOf(request, server), body.credential)),
      { open, body: PasskeySignIn, response: { 200: SignInAnswer }, detail: { summary: "By passkey" } },
    )
    .use(otherWays({ people, sso, gatekeeper }));

const otherWays = ({ people, sso, gatekeeper }: SignInDeps) =>
  new Elysia({ detail: { tags: ["People"] } })
    .use(access(gatekeeper))
    .post(
      "/pin",
      async ({ body, request, server, set }) =>
        give(set, await signInByPin(people, askerOf(request, server), body)),
      {
        open,
        body: PinSignIn,
        response: { 200: SignInAnswer },
        detail: { summary: "By PIN, on a shared tablet" },
      },
    )
    .post(
      "/kiosk",
      async ({ body, request, server, set }) =>
        give(set, await openKiosk(people, askerOf(request, server), body.token)),
      { open, body: KioskSignIn, response: { 200: SignInAnswer }, detail: { summary: "A screen on a wall" } },
    )
    .post(
      "/sso",
      async ({ body, request, set }) => give(set, await startSso(sso, request, body.again === true)),
      { open, body: SsoStart, response: { 200: SsoStarted }, detail: { summary: "By single sign-on" } },
    );

async function startSso(sso: Sso | null, request: Request, again: boolean) {
  if (sso !== null) return await sso.start(again, request.headers.get("cookie"));
  throw new AppError("route.unknown", "This hub has no single sign-on.");
}

export const signOutRoutes = ({ people, gatekeeper }: Pick<SignInDeps, "people" | "gatekeeper">) =>
  new Elysia({ detail: { tags: ["People"] } }).use(access(gatekeeper)).post(
    "/api/v1/sign-out",
    async ({ request, server, set }) => {
      const principal = await gatekeeper.whoIs(request.headers);
      return give(set, await signOut(people, askerOf(request, server), principal && whoOf(principal)));
    },
    {
      open: "going takes no permission",
      response: { 200: Type.Null() },
      detail: { summary: "End the session of this browser" },
    },
  );
