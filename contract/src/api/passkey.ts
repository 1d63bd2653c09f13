import { type Static, Type } from "@sinclair/typebox";
import { Instant } from "./page.ts";

/** `PublicKeyCredential{Creation,Request}OptionsJSON` of WebAuthn Level 3: give it to `parse…OptionsFromJSON`. */
export const PasskeyOptions = Type.Record(Type.String(), Type.Unknown());
export type PasskeyOptions = Static<typeof PasskeyOptions>;

const base64Url = (maxLength: number) => Type.String({ maxLength, pattern: "^[A-Za-z0-9_-]+$" });
const Attachment = Type.Optional(Type.Union([Type.String({ maxLength: 32 }), Type.Null()]));
const Extensions = Type.Object({});

/** `RegistrationResponseJSON`: what `credential.toJSON()` gives after `navigator.credentials.create`. */
export const PasskeyRegistration = Type.Object({
  id: base64Url(1_400),
  rawId: base64Url(1_400),
  type: Type.Literal("public-key"),
  authenticatorAttachment: Attachment,
  clientExtensionResults: Extensions,
  response: Type.Object({
    clientDataJSON: base64Url(8_000),
    attestationObject: base64Url(16_000),
    transports: Type.Optional(Type.Array(Type.String({ maxLength: 32 }), { maxItems: 10 })),
  }),
});
export type PasskeyRegistration = Static<typeof PasskeyRegistration>;

/** `AuthenticationResponseJSON`: the same after `navigator.credentials.get`. */
export const PasskeyAssertion = Type.Object({
  id: base64Url(1_400),
  rawId: base64Url(1_400),
  type: Type.Literal("public-key"),
  authenticatorAttachment: Attachment,
  clientExtensionResults: Extensions,
  response: Type.Object({
    clientDataJSON: base64Url(8_000),
    authenticatorData: base64Url(4_000),
    /** Of ML-DSA, which newer authenticators prefer, up to 4,627 bytes. */
    signature: base64Url(8_000),
    userHandle: Type.Optional(Type.Union([base64Url(200), Type.Null()])),
  }),
});
export type PasskeyAssertion = Static<typeof PasskeyAssertion>;

export const PasskeyName = Type.String({ minLength: 1, maxLength: 60, examples: ["Ada's phone"] });

/** `POST /api/v1/me/passkeys` */
export const PasskeyCreate = Type.Object({ name: PasskeyName, credential: PasskeyRegistration });
export type PasskeyCreate = Static<typeof PasskeyCreate>;
/** `PUT /api/v1/me/passkeys/:id` */
export const PasskeyEdit = Type.Object({ name: PasskeyName });

export const Passkey = Type.Object({
  id: Type.String(),
  name: Type.String(),
  /** True when it can be on more than one device, as those of phones' makers are. */
  synced: Type.Boolean(),
  createdAt: Instant,
  lastUsedAt: Type.Union([Instant, Type.Null()]),
});
export type Passkey = Static<typeof Passkey>;
