import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
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
import { site } from "./site.ts";

const whole = (name: string) => bigint(name, { mode: "number" });

/** What showed that a gateway would use numbers again (`delivery.md` 2.9). */
export type RenewalReason = "epoch" | "session" | "sequence" | "content";

export type EnrolmentState = "unclaimed" | "enrolled" | "revoked";

/**
 * `gateway_no` is the short number by which journal and high-water marks name a gateway; never reused. `key_id`,
 * `public_key` and `epoch` belong together: a new claim replaces the key and counts the epoch up.
 */
export const gateway = pgTable(
  "gateway",
  {
    id: uuid("id").primaryKey(),
    gatewayNo: integer("gateway_no").generatedAlwaysAsIdentity().notNull().unique("gateway_no_unique"),
    name: text("name").notNull(),
    siteId: uuid("site_id")
      .notNull()
      .references(() => site.id),
    enrolment: text("enrolment").$type<EnrolmentState>().notNull().default("unclaimed"),
    publicKey: bytea("public_key"),
    keyId: text("key_id"),
    epoch: whole("epoch").notNull().default(0),
    /** Highest session and command number the gateway showed. */
    sessionNo: whole("session_no").notNull().default(0),
    commandNo: whole("command_no").notNull().default(0),
    /** Why the next hello is answered with a new epoch; null when it is not. */
    renewalDue: text("renewal_due").$type<RenewalReason>(),
    /** Two machines use this identity since then; null when none is suspected. */
    clonedAt: instant("cloned_at"),
    /** Renewals before this moment say nothing about clones any more. */
    trustedAt: instant("trusted_at"),
    fingerprint: text("fingerprint"),
    linkSince: instant("link_since"),
    lastSeenAt: instant("last_seen_at"),
    manifestWanted: integer("manifest_wanted").notNull().default(0),
    manifestRunning: integer("manifest_running").notNull().default(0),
    manifestError: text("manifest_error"),
    /** Number of the gateway's manifest when it was above every number this hub knew: nothing is offered till a person agrees. */
    manifestHeld: integer("manifest_held"),
    /** A rollout keeps new manifests back until it is this gateway's turn. */
    manifestFrozen: boolean("manifest_frozen").notNull().default(false),
    health: json<GatewayStatus>("health"),
    /** X25519 key its newest hello showed, base64url: secrets are sealed for it. Null before the first. */
    sealKey: text("seal_key"),
    /** Settings of the gateway as Sparkplug edge node; null: it is none. */
    sparkplug: json<Record<string, unknown>>("sparkplug"),
    /** Words by which people group gateways, sorted, each once. */
    labels: json<string[]>("labels").notNull().default([]),
    /** Counts the changes of what people edit here; an edit names the one it is based on. */
    revision: integer("revision").notNull().default(1),
  },
  (t) => [unique("gateway_name_unique").on(t.name), index("gateway_site").on(t.siteId)],
);

/** One-time claim tokens. Only SHA-256 of a token is kept. */
export const claim = pgTable(
  "claim",
  {
    tokenHash: bytea("token_hash").primaryKey(),
    gatewayId: uuid("gateway_id")
      .notNull()
      .references(() => gateway.id),
    expiresAt: instant("expires_at").notNull(),
    usedAt: instant("used_at"),
  },
  (t) => [index("claim_gateway").on(t.gatewayId)],
);

/** Each time a gateway was given a new epoch because it had gone back in time. */
export const gatewayRenewal = pgTable(
  "gateway_renewal",
  {
    gatewayNo: integer("gateway_no").notNull(),
    toEpoch: whole("to_epoch").notNull(),
    fromEpoch: whole("from_epoch").notNull(),
    at: instant("at").notNull(),
    reason: text("reason").$type<RenewalReason>().notNull(),
    /** First welcome in the new epoch; null while the gateway may have died before it kept the epoch. */
    usedAt: instant("used_at"),
  },
  (t) => [primaryKey({ columns: [t.gatewayNo, t.toEpoch] })],
);
