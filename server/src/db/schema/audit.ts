import type { AuditFrom } from "@millrace/contract/api/audit";
import { bigint, index, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { bytea, instant, json } from "./column.ts";

/**
 * Every change: who, when, what, old, new, from where. `hash` covers the row and the hash before it, so a changed or
 * missing row breaks the chain. `no` counts without holes, because a rolled back identity value would look like a
 * missing row.
 */
export const audit = pgTable(
  "audit",
  {
    no: bigint("no", { mode: "number" }).primaryKey(),
    at: instant("at").notNull(),
    who: text("who").notNull(),
    action: text("action").notNull(),
    subject: text("subject").notNull(),
    old: json<object>("old"),
    new: json<object>("new"),
    /** Null for what the hub did by itself, and in rows older than this column; then the hash does not know it. */
    from: json<AuditFrom>("from"),
    prevHash: bytea("prev_hash").notNull(),
    hash: bytea("hash").notNull(),
  },
  (t) => [
    index("audit_subject").on(t.subject),
    index("audit_at").on(t.at),
    index("audit_who").on(t.who, t.no),
    index("audit_action").on(t.action, t.no),
  ],
);

/**
 * The head of the chain as a hub saw it, signed: without these, rows cut off at the end would leave no trace, and whoever
 * can write the table could write the whole chain anew.
 */
export const auditAnchor = pgTable("audit_anchor", {
  no: bigint("no", { mode: "number" }).primaryKey(),
  hash: bytea("hash").notNull(),
  at: instant("at").notNull(),
  hubId: uuid("hub_id").notNull(),
  /** Of the key that signed, base64url. */
  publicKey: text("public_key").notNull(),
  signature: text("signature").notNull(),
});
