import type { Permission } from "@millrace/contract/api/role";
import type { SessionKind } from "@millrace/contract/api/session";
import { sql } from "drizzle-orm";
import { boolean, check, index, integer, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { bytea, instant, json } from "./column.ts";
import { site } from "./site.ts";

/** People, their sessions and their ways to sign in, in the shape better-auth keeps them. */
export const person = pgTable(
  "person",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    email: text("email").notNull(),
    emailVerified: boolean("email_verified").notNull().default(false),
    image: text("image"),
    /** Since when this person may not sign in; null when they may. */
    disabledAt: instant("disabled_at"),
    revision: integer("revision").notNull().default(1),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (t) => [unique("person_email_unique").on(t.email)],
);

export const session = pgTable(
  "session",
  {
    id: text("id").primaryKey(),
    /** SHA-256 of what the cookie holds, base64url: a copy of the database opens no session. */
    token: text("token").notNull(),
    userId: text("user_id")
      .notNull()
      .references(() => person.id, { onDelete: "cascade" }),
    expiresAt: instant("expires_at").notNull(),
    /** The network it was opened from, never a whole address. */
    ipAddress: text("ip_address"),
    /** The browser in a few words, not what it said in full. */
    userAgent: text("user_agent"),
    kind: text("kind").$type<SessionKind>().notNull().default("password"),
    /** When its person last showed who they are; null for a session that cannot, as one by PIN. */
    freshAt: instant("fresh_at"),
    lastSeenAt: instant("last_seen_at").notNull().defaultNow(),
    sharedDeviceId: uuid("shared_device_id").references(() => sharedDevice.id, { onDelete: "cascade" }),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (t) => [unique("session_token_unique").on(t.token), index("session_user").on(t.userId)],
);

/** A browser several people use in turn. It holds a cookie of its own; only a hash of that is kept. */
export const sharedDevice = pgTable(
  "shared_device",
  {
    id: uuid("id").primaryKey(),
    name: text("name").notNull(),
    hash: bytea("hash").notNull(),
    /** Where it stands: who switches in by PIN can do nothing elsewhere. */
    siteId: uuid("site_id")
      .notNull()
      .references(() => site.id),
    device: text("device").notNull(),
    createdAt: instant("created_at").notNull(),
    lastSeenAt: instant("last_seen_at"),
  },
  (t) => [unique("shared_device_hash_unique").on(t.hash)],
);

export const account = pgTable(
  "account",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id").notNull(),
    providerId: text("provider_id").notNull(),
    userId: text("user_id")
      .notNull()
      .references(() => person.id, { onDelete: "cascade" }),
    accessToken: text("access_token"),
    refreshToken: text("refresh_token"),
    idToken: text("id_token"),
    accessTokenExpiresAt: instant("access_token_expires_at"),
    refreshTokenExpiresAt: instant("refresh_token_expires_at"),
    scope: text("scope"),
    password: text("password"),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (t) => [index("account_user").on(t.userId)],
);

export const verification = pgTable(
  "verification",
  {
    id: text("id").primaryKey(),
    identifier: text("identifier").notNull(),
    value: text("value").notNull(),
    expiresAt: instant("expires_at").notNull(),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (t) => [index("verification_identifier").on(t.identifier)],
);

/** Keys for programs, and for screens on a wall. Only SHA-256 of a key is kept: a random key needs no slow hash. */
export const apiKey = pgTable(
  "api_key",
  {
    id: uuid("id").primaryKey(),
    name: text("name").notNull(),
    hash: bytea("hash").notNull(),
    kind: text("kind").$type<"apiKey" | "kiosk">().notNull().default("apiKey"),
    createdAt: instant("created_at").notNull(),
    /** Null: it does not end by itself. */
    expiresAt: instant("expires_at"),
    revokedAt: instant("revoked_at"),
    /** Who made it, as the audit names them; null for one from the settings. */
    createdBy: text("created_by"),
    lastUsedAt: instant("last_used_at"),
  },
  (t) => [unique("api_key_hash_unique").on(t.hash)],
);

/** Roles of a plant's own, beside the built-in ones. */
export const role = pgTable("role", {
  name: text("name").primaryKey(),
  description: text("description").notNull(),
  permissions: json<Permission[]>("permissions").notNull(),
  revision: integer("revision").notNull().default(1),
});

/**
 * A role given to a person or a key at a place; without a place for the whole plant. A place that grants stand on
 * cannot be removed: a grant must not widen or vanish unseen.
 */
export const accessGrant = pgTable(
  "access_grant",
  {
    id: uuid("id").primaryKey(),
    personId: text("person_id").references(() => person.id, { onDelete: "cascade" }),
    apiKeyId: uuid("api_key_id").references(() => apiKey.id, { onDelete: "cascade" }),
    role: text("role").notNull(),
    siteId: uuid("site_id").references(() => site.id),
    /** It follows from a group at the single sign-on and is looked up anew at each sign-in there. */
    bySso: boolean("by_sso").notNull().default(false),
  },
  (t) => [
    check("access_grant_holder", sql`num_nonnulls(${t.personId}, ${t.apiKeyId}) = 1`),
    unique("access_grant_once").on(t.personId, t.apiKeyId, t.role, t.siteId).nullsNotDistinct(),
    index("access_grant_site").on(t.siteId),
  ],
);
