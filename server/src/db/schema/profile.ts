import type { ProfileParameters } from "@millrace/contract/vocabulary/parameter";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import { sql } from "drizzle-orm";
import { integer, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { json } from "./column.ts";

export const profile = pgTable(
  "profile",
  {
    id: uuid("id").primaryKey(),
    name: text("name").notNull(),
    driver: text("driver").notNull(),
    settings: json<Record<string, unknown>>("settings").notNull(),
    parameters: json<ProfileParameters>("parameters").notNull().default(sql`'{}'::jsonb`),
    tags: json<ProfileTag[]>("tags").notNull(),
    scanMs: integer("scan_ms"),
    heartbeatMs: integer("heartbeat_ms"),
    revision: integer("revision").notNull().default(1),
  },
  (t) => [unique("profile_name_unique").on(t.name)],
);
