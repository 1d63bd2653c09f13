import { type Static, Type } from "@sinclair/typebox";
import { EntityId } from "../vocabulary/id.ts";
import { Instant, PageQuery } from "./page.ts";
import { Grant, Permission, Reach, ShownGrant } from "./role.ts";
import { SessionKind } from "./session.ts";

/** What sign-in takes too: a set-up with an address that cannot sign in would lock the plant out of itself. */
export const Email = Type.String({
  maxLength: 254,
  pattern: "^[A-Za-z0-9_+-]+(\\.[A-Za-z0-9_+-]+)*@([A-Za-z0-9][A-Za-z0-9-]*\\.)+[A-Za-z]{2,}$",
  description: "An e-mail address such as ada@plant.example",
});

export const PersonName = Type.String({ minLength: 1, maxLength: 100 });
/** A password somebody chooses. One that is commonly used, or about its person, is refused with `password.weak`. */
export const NewPassword = Type.String({ minLength: 12, maxLength: 256 });

export const SetupState = Type.Object({ needed: Type.Boolean() });
export type SetupState = Static<typeof SetupState>;

/** `POST /api/v1/setup`: makes the first administrator. The token is on the hub's console, once. */
export const SetupRequest = Type.Object({
  token: Type.String({ minLength: 1, maxLength: 200 }),
  name: PersonName,
  email: Email,
  password: NewPassword,
});
export type SetupRequest = Static<typeof SetupRequest>;

export const Me = Type.Object({
  id: Type.String(),
  name: Type.String(),
  email: Type.String(),
  kind: Type.Union([
    Type.Literal("person"),
    Type.Literal("apiKey"),
    Type.Literal("kiosk"),
    Type.Literal("hub"),
  ]),
  grants: Type.Array(ShownGrant),
  /** What may be done somewhere; a screen asks `reach` where. */
  permissions: Type.Array(Permission),
  reach: Type.Unsafe<Partial<Record<Permission, Reach>>>(Type.Record(Type.String(), Reach)),
  /** Null for a program or a kiosk. */
  session: Type.Union([
    Type.Object({
      id: Type.String(),
      kind: SessionKind,
      /** Until then this session may change factors, make keys and edit people; null when it never may. */
      freshUntil: Type.Union([Instant, Type.Null()]),
      /** On a shared tablet: ends after so many seconds without `POST /me/activity` or a change. Null elsewhere. */
      idleS: Type.Union([Type.Integer(), Type.Null()]),
    }),
    Type.Null(),
  ]),
  /** The hub asks for a second factor or a passkey, and this person has none: nothing but `/me` works until then. */
  mustEnrol: Type.Boolean(),
});
export type Me = Static<typeof Me>;

/** A grant of a person. One from single sign-on follows the groups there and cannot be edited here. */
export const PersonGrant = Type.Composite([ShownGrant, Type.Object({ bySso: Type.Boolean() })]);
export type PersonGrant = Static<typeof PersonGrant>;

export const Person = Type.Object({
  id: Type.String(),
  name: Type.String(),
  email: Type.String(),
  grants: Type.Array(PersonGrant),
  /** Ways to sign in that are set up. */
  ways: Type.Object({
    password: Type.Boolean(),
    passkeys: Type.Integer({ minimum: 0 }),
    totp: Type.Boolean(),
    pin: Type.Boolean(),
    sso: Type.Boolean(),
  }),
  /** Since when this person may not sign in; null when they may. */
  disabledAt: Type.Union([Instant, Type.Null()]),
  /** Until then no password or code of theirs is looked at, after wrong ones; a passkey works. Null when they need not wait. */
  lockedUntil: Type.Union([Instant, Type.Null()]),
  /** Null for somebody who is not signed in anywhere. */
  lastSeenAt: Type.Union([Instant, Type.Null()]),
  createdAt: Instant,
  revision: Type.Integer({ minimum: 1 }),
  /** Whether the asker may change this person: they must hold themselves whatever this person may do. */
  mayEdit: Type.Boolean(),
});
export type Person = Static<typeof Person>;

/** `GET /api/v1/people`, by name. */
export const PersonQuery = Type.Composite([
  PageQuery,
  Type.Object({ q: Type.Optional(Type.String({ maxLength: 100, description: "Part of name or e-mail" })) }),
]);
export type PersonQuery = Static<typeof PersonQuery>;

export const GRANTS_MAX = 50;
export const Grants = Type.Array(Grant, { maxItems: GRANTS_MAX });

/** `PUT /api/v1/people/:id` with If-Match: the whole of what can be edited. */
export const PersonEdit = Type.Object({ name: PersonName, grants: Grants });
export type PersonEdit = Static<typeof PersonEdit>;

export const PersonParams = Type.Object({ id: Type.String({ maxLength: 64 }) });
export const EntityParams = Type.Object({ id: EntityId });
