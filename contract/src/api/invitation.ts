import { type Static, Type } from "@sinclair/typebox";
import { Instant } from "./page.ts";
import { PasskeyName, PasskeyRegistration } from "./passkey.ts";
import { Email, Grants, NewPassword, PersonName } from "./person.ts";
import { ShownGrant } from "./role.ts";

/** `invite` makes a person; `reset` lets one who exists set their way to sign in anew. */
export const InvitationKind = Type.Union([Type.Literal("invite"), Type.Literal("reset")]);
const HOURS_MAX = 7 * 24;

/** `POST /api/v1/invitations` */
export const InvitationCreate = Type.Object({
  name: PersonName,
  email: Email,
  grants: Grants,
  hours: Type.Optional(
    Type.Integer({ minimum: 1, maximum: HOURS_MAX, default: 72, description: "How long the link works" }),
  ),
});
export type InvitationCreate = Static<typeof InvitationCreate>;

export const Invitation = Type.Object({
  id: Type.String(),
  kind: InvitationKind,
  name: Type.String(),
  email: Type.String(),
  grants: Type.Array(ShownGrant),
  /** Name of who made it; null when they are gone. */
  by: Type.Union([Type.String(), Type.Null()]),
  createdAt: Instant,
  expiresAt: Instant,
});
export type Invitation = Static<typeof Invitation>;
/** `GET /api/v1/invitations`: open ones, the newest first. */
export const Invitations = Type.Object({ items: Type.Array(Invitation) });

/** Shown once; only a hash of its token is kept. */
export const InvitationLink = Type.Object({
  id: Type.String(),
  link: Type.String({ examples: ["https://millrace.example/invitation#token=…"] }),
  expiresAt: Instant,
});
export type InvitationLink = Static<typeof InvitationLink>;

/** `POST /api/v1/people/:id/reset-link` */
export const ResetLinkCreate = Type.Object({
  /** True also takes the authenticator app, all passkeys and the PIN away: for a lost or stolen phone. */
  removeFactors: Type.Boolean(),
});
export type ResetLinkCreate = Static<typeof ResetLinkCreate>;

/** What the page behind a link sends, from the fragment of its address. */
export const InvitationToken = Type.Object({ token: Type.String({ minLength: 20, maxLength: 200 }) });

/** `POST /api/v1/invitations/look`: what the page behind a link shows. */
export const InvitationView = Type.Object({
  kind: InvitationKind,
  name: Type.String(),
  email: Type.String(),
  /** Of an invitation what it gives, of a reset what its person has. */
  grants: Type.Array(ShownGrant),
  /** Name of who made it; null when they are gone, or the hub's console did. */
  by: Type.Union([Type.String(), Type.Null()]),
  expiresAt: Instant,
  /** Whether this browser can make a passkey here. */
  passkey: Type.Boolean(),
});
export type InvitationView = Static<typeof InvitationView>;

/** `POST /api/v1/invitations/accept/password`; answers a `SignInAnswer`. */
export const AcceptByPassword = Type.Composite([InvitationToken, Type.Object({ password: NewPassword })]);
export type AcceptByPassword = Static<typeof AcceptByPassword>;

/**
 * `POST /api/v1/invitations/accept/passkey`, after `POST /api/v1/invitations/accept/passkey/options` with the token; answers
 * a `SignInAnswer`.
 */
export const AcceptByPasskey = Type.Composite([
  InvitationToken,
  Type.Object({ name: PasskeyName, credential: PasskeyRegistration }),
]);
export type AcceptByPasskey = Static<typeof AcceptByPasskey>;
