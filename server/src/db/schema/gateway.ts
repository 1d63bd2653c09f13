import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import { bigint, index, integer, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { bytea, instant, json } from "./column.ts";
import { site } from "./site.ts";

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
    epoch: bigint("epoch", { mode: "number" }).notNull().default(0),
    fingerprint: text("fingerprint"),
    linkSince: instant("link_since"),
    lastSeenAt: instant("last_seen_at"),
    manifestWanted: integer("manifest_wanted").notNull().default(0),
    manifestRunning: integer("manifest_running").notNull().default(0),
    manifestError: text("manifest_error"),
    health: json<GatewayStatus>("health"),
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
