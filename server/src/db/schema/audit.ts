import { bigint, index, pgTable, text } from "drizzle-orm/pg-core";
import { bytea, instant, json } from "./column.ts";

/**
 * Every change: who, when, what, old, new. `hash` covers the row and the hash before it, so a changed or missing row
 * breaks the chain. `no` counts without holes, because a rolled back identity value would look like a missing row.
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
    prevHash: bytea("prev_hash").notNull(),
    hash: bytea("hash").notNull(),
  },
  (t) => [index("audit_subject").on(t.subject)],
);
