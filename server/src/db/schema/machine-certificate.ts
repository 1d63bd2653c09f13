import type { PeerCertificate } from "@millrace/contract/vocabulary/certificate";
import { pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { instant, json } from "./column.ts";
import { gateway } from "./gateway.ts";

/**
 * Certificates that machines showed to gateways, and what somebody decided of them. Whether one is trusted is not said
 * here: the device's setting alone says it.
 */
export const machineCertificate = pgTable(
  "machine_certificate",
  {
    id: uuid("id").primaryKey(),
    gatewayId: uuid("gateway_id")
      .notNull()
      .references(() => gateway.id, { onDelete: "cascade" }),
    endpoint: text("endpoint").notNull(),
    fingerprint: text("fingerprint").notNull(),
    certificate: json<PeerCertificate>("certificate").notNull(),
    firstSeenAt: instant("first_seen_at").notNull(),
    lastSeenAt: instant("last_seen_at").notNull(),
    decision: text("decision").$type<"trust" | "refuse">(),
    /** Name of whoever decided. */
    decidedBy: text("decided_by"),
    decidedAt: instant("decided_at"),
  },
  (t) => [unique("machine_certificate_seen").on(t.gatewayId, t.endpoint, t.fingerprint)],
);
