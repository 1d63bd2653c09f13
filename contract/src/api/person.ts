import { type Static, Type } from "@sinclair/typebox";
import { Permission, Reach, ShownGrant } from "./role.ts";

/** What sign-in takes too: a set-up with an address that cannot sign in would lock the plant out of itself. */
export const Email = Type.String({
  maxLength: 254,
  pattern: "^[A-Za-z0-9_+-]+(\\.[A-Za-z0-9_+-]+)*@([A-Za-z0-9][A-Za-z0-9-]*\\.)+[A-Za-z]{2,}$",
  description: "An e-mail address such as ada@plant.example",
});

export const SetupState = Type.Object({ needed: Type.Boolean() });
export type SetupState = Static<typeof SetupState>;

/** `POST /api/v1/setup`: makes the first administrator. The token is on the hub's console, once. */
export const SetupRequest = Type.Object({
  token: Type.String({ minLength: 1, maxLength: 200 }),
  name: Type.String({ minLength: 1, maxLength: 100 }),
  email: Email,
  password: Type.String({ minLength: 12, maxLength: 256 }),
});
export type SetupRequest = Static<typeof SetupRequest>;

export const Me = Type.Object({
  id: Type.String(),
  name: Type.String(),
  email: Type.String(),
  grants: Type.Array(ShownGrant),
  /** What may be done somewhere; a screen asks `reach` where. */
  permissions: Type.Array(Permission),
  reach: Type.Unsafe<Partial<Record<Permission, Reach>>>(Type.Record(Type.String(), Reach)),
});
export type Me = Static<typeof Me>;
