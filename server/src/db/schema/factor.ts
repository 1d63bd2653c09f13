import type { Grant } from "@millrace/contract/api/role";
import {
  bigint,
  boolean,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea, instant, json } from "./column.ts";
import { person, sharedDevice } from "./person.ts";

const personId = () =>
  text("person_id")
    .notNull()
    .references(() => person.id, { onDelete: "cascade" });

/** A WebAuthn credential: a public key, and a counter that never goes back. */
export const passkey = pgTable(
  "passkey",
  {
    id: uuid("id").primaryKey(),
    personId: personId(),
    /** Base64url, as browsers say it. */
    credentialId: text("credential_id").notNull(),
    publicKey: bytea("public_key").notNull(),
    counter: bigint("counter", { mode: "number" }).notNull(),
    transports: json<string[]>("transports").notNull(),
    synced: boolean("synced").notNull(),
    name: text("name").notNull(),
    createdAt: instant("created_at").notNull(),
    lastUsedAt: instant("last_used_at"),
  },
  (t) => [unique("passkey_credential_unique").on(t.credentialId), index("passkey_person").on(t.personId)],
);

/** The secret shared with an authenticator app, encrypted with a key that is not in the database. */
export const totp = pgTable("totp", {
  personId: personId().primaryKey(),
  secret: text("secret").notNull(),
  /** Null until a first code was right: until then it asks for nothing. */
  confirmedAt: instant("confirmed_at"),
  /** Time step of the last code that was taken; that one and older ones are not taken again. */
  lastStep: bigint("last_step", { mode: "number" }).notNull().default(0),
});

/** Each is gone once used. Random enough for a fast hash. */
export const recoveryCode = pgTable(
  "recovery_code",
  { personId: personId(), hash: bytea("hash").notNull() },
  (t) => [primaryKey({ columns: [t.personId, t.hash] })],
);

/** For the quick switch on shared tablets; hashed with a key that is not in the database. */
export const pin = pgTable("pin", { personId: personId().primaryKey(), hash: text("hash").notNull() });

/** Wrong PINs in a row of one person on one tablet. */
export const pinFailure = pgTable(
  "pin_failure",
  {
    deviceId: uuid("device_id")
      .notNull()
      .references(() => sharedDevice.id, { onDelete: "cascade" }),
    personId: personId(),
    failures: integer("failures").notNull(),
  },
  (t) => [primaryKey({ columns: [t.deviceId, t.personId] })],
);

/** Something between two requests of one browser, which holds the token: a passkey's challenge, a password that was right. */
export const ticket = pgTable(
  "ticket",
  {
    hash: bytea("hash").primaryKey(),
    kind: text("kind").notNull(),
    personId: text("person_id").references(() => person.id, { onDelete: "cascade" }),
    /** The challenge; empty for others. */
    challenge: text("challenge").notNull(),
    triesLeft: integer("tries_left").notNull(),
    expiresAt: instant("expires_at").notNull(),
  },
  (t) => [index("ticket_expires").on(t.expiresAt)],
);

/** A one-time link: to become somebody, or to set one's way to sign in anew. It is removed when it was used. */
export const invitation = pgTable(
  "invitation",
  {
    id: uuid("id").primaryKey(),
    hash: bytea("hash").notNull(),
    name: text("name").notNull(),
    email: text("email").notNull(),
    grants: json<Grant[]>("grants").notNull(),
    /** Whose way to sign in it sets anew; null for one that makes a person. */
    personId: text("person_id").references(() => person.id, { onDelete: "cascade" }),
    removeFactors: boolean("remove_factors").notNull().default(false),
    createdBy: text("created_by").notNull(),
    createdAt: instant("created_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
  },
  (t) => [unique("invitation_hash_unique").on(t.hash), index("invitation_person").on(t.personId)],
);
