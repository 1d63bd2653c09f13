import { type Static, Type } from "@sinclair/typebox";
import { PasskeyAssertion } from "./passkey.ts";
import { Email } from "./person.ts";

/** `GET /api/v1/sign-in`: what the sign-in page offers in this browser. */
export const SignInWays = Type.Object({
  /** False where a browser has none: at a plain http address that is not this machine. */
  passkey: Type.Boolean(),
  sso: Type.Union([Type.Object({ name: Type.String({ examples: ["Plant directory"] }) }), Type.Null()]),
  /** Set in a browser that is enrolled as a shared tablet: who may switch in by PIN, by name. */
  shared: Type.Union([
    Type.Object({
      name: Type.String(),
      people: Type.Array(Type.Object({ id: Type.String(), name: Type.String() })),
    }),
    Type.Null(),
  ]),
});
export type SignInWays = Static<typeof SignInWays>;

/**
 * What a sign-in leads to. `signedIn`: the cookie is set. `secondFactor`: `POST /api/v1/sign-in/second-factor` must follow
 * within 5 minutes, in this browser; nothing is open before.
 */
export const SignInAnswer = Type.Object({
  status: Type.Union([Type.Literal("signedIn"), Type.Literal("secondFactor")]),
});
export type SignInAnswer = Static<typeof SignInAnswer>;

/** `POST /api/v1/sign-in/password` */
export const PasswordSignIn = Type.Object({
  email: Email,
  password: Type.String({ minLength: 1, maxLength: 256 }),
});
export type PasswordSignIn = Static<typeof PasswordSignIn>;

/** `POST /api/v1/sign-in/second-factor`: six digits of the app, or a recovery code such as `k3v9q-7hw2m-x4tzb`. */
export const SecondFactor = Type.Object({ code: Type.String({ minLength: 6, maxLength: 40 }) });

/** `POST /api/v1/sign-in/passkey`, after `POST /api/v1/sign-in/passkey/options` in the same browser. */
export const PasskeySignIn = Type.Object({ credential: PasskeyAssertion });

/** `POST /api/v1/sign-in/sso`: where to send the browser. `again` asks for the password there once more (step-up). */
export const SsoStart = Type.Object({ again: Type.Optional(Type.Boolean()) });
export const SsoStarted = Type.Object({ url: Type.String() });

/** `POST /api/v1/sign-in/pin`: only in a browser enrolled as a shared tablet. */
export const PinSignIn = Type.Object({
  personId: Type.String({ maxLength: 64 }),
  pin: Type.String({ minLength: 1, maxLength: 12 }),
});

/** `POST /api/v1/sign-in/kiosk`: the token behind the # of a kiosk link; it becomes a cookie. */
export const KioskSignIn = Type.Object({ token: Type.String({ minLength: 20, maxLength: 200 }) });

/** `POST /api/v1/me/step-up/password`: says again who it is, for ten minutes. With a TOTP factor its code too. */
export const PasswordStepUp = Type.Object({
  password: Type.String({ minLength: 1, maxLength: 256 }),
  code: Type.Optional(Type.String({ minLength: 6, maxLength: 40 })),
});
export type PasswordStepUp = Static<typeof PasswordStepUp>;
