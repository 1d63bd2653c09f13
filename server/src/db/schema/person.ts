import type { Permission } from "@millrace/contract/api/role";
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
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (t) => [unique("person_email_unique").on(t.email)],
);

export const session = pgTable(
  "session",
  {
    id: text("id").primaryKey(),
    token: text("token").notNull(),
    userId: text("user_id")
      .notNull()
      .references(() => person.id, { onDelete: "cascade" }),
    expiresAt: instant("expires_at").notNull(),
    ipAddress: text("ip_address"),
    userAgent: text("user_agent"),
    createdAt: instant("created_at").notNull().defaultNow(),
    updatedAt: instant("updated_at").notNull().defaultNow(),
  },
  (t) => [unique("session_token_unique").on(t.token), index("session_user").on(t.userId)],
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
  },
  (t) => [
    check("access_grant_holder", sql`num_nonnulls(${t.personId}, ${t.apiKeyId}) = 1`),
    unique("access_grant_once").on(t.personId, t.apiKeyId, t.role, t.siteId).nullsNotDistinct(),
    index("access_grant_site").on(t.siteId),
  ],
);
