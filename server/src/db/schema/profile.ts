import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import { integer, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { json } from "./column.ts";

export const profile = pgTable(
  "profile",
  {
    id: uuid("id").primaryKey(),
    name: text("name").notNull(),
    driver: text("driver").notNull(),
    settings: json<Record<string, unknown>>("settings").notNull(),
    tags: json<ProfileTag[]>("tags").notNull(),
    scanMs: integer("scan_ms"),
    heartbeatMs: integer("heartbeat_ms"),
    revision: integer("revision").notNull().default(1),
  },
  (t) => [unique("profile_name_unique").on(t.name)],
);
