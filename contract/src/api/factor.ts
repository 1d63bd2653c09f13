import { type Static, Type } from "@sinclair/typebox";
import { Instant } from "./page.ts";
import { Passkey } from "./passkey.ts";
import { NewPassword } from "./person.ts";

/** `GET /api/v1/me/factors`: one's own ways to sign in. */
export const Factors = Type.Object({
  password: Type.Boolean(),
  passkeys: Type.Array(Passkey),
  /** The code of an authenticator app, asked for after the password. */
  totp: Type.Union([
    Type.Object({ since: Instant, recoveryCodesLeft: Type.Integer({ minimum: 0 }) }),
    Type.Null(),
  ]),
  /** For the quick switch on shared tablets. */
  pin: Type.Boolean(),
  /** Name of the single sign-on this person is linked to. */
  sso: Type.Union([Type.String(), Type.Null()]),
  /** Whether the hub asks this person for a second factor or a passkey: the last one cannot be taken away then. */
  required: Type.Boolean(),
});
export type Factors = Static<typeof Factors>;

/** `POST /api/v1/me/totp`: a secret to show as a QR code of `uri` and as text. It counts once confirmed. */
export const TotpStart = Type.Object({
  secret: Type.String({ description: "Base32" }),
  uri: Type.String({ examples: ["otpauth://totp/Millrace:ada@plant.example?secret=…&issuer=Millrace"] }),
});
export type TotpStart = Static<typeof TotpStart>;

export const TotpCode = Type.String({ pattern: "^\\d{6}$", description: "Six digits" });
/** `POST /api/v1/me/totp/confirm` */
export const TotpConfirm = Type.Object({ code: TotpCode });

/** Shown once. Each works once instead of a code of the app. */
export const RecoveryCodes = Type.Object({ recoveryCodes: Type.Array(Type.String()) });
export type RecoveryCodes = Static<typeof RecoveryCodes>;

/**
 * `PUT /api/v1/me/password`. The present one is asked for when there is one. Ends all other sessions, and gives this one
 * a new cookie.
 */
export const PasswordChange = Type.Object({
  currentPassword: Type.Optional(Type.String({ maxLength: 256 })),
  newPassword: NewPassword,
});
export type PasswordChange = Static<typeof PasswordChange>;

export const Pin = Type.String({ pattern: "^\\d{6,12}$", description: "6 to 12 digits" });
/** `PUT /api/v1/me/pin` */
export const PinSet = Type.Object({ pin: Pin });
