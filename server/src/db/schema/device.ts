import type { OperatingHours } from "@millrace/contract/vocabulary/operating-hours";
import type { ParameterValues } from "@millrace/contract/vocabulary/parameter";
import { sql } from "drizzle-orm";
import { boolean, index, integer, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { json } from "./column.ts";
import { gateway } from "./gateway.ts";
import { profile } from "./profile.ts";
import { site } from "./site.ts";

/** One real machine. `path` = path of its site + "/" + name. */
export const device = pgTable(
  "device",
  {
    id: uuid("id").primaryKey(),
    name: text("name").notNull(),
    profileId: uuid("profile_id")
      .notNull()
      .references(() => profile.id),
    gatewayId: uuid("gateway_id")
      .notNull()
      .references(() => gateway.id),
    siteId: uuid("site_id")
      .notNull()
      .references(() => site.id),
    settings: json<Record<string, unknown>>("settings").notNull(),
    parameters: json<ParameterValues>("parameters").notNull().default(sql`'{}'::jsonb`),
    /** Null: it may always run. */
    hours: json<OperatingHours>("hours"),
    enabled: boolean("enabled").notNull().default(true),
    path: text("path").notNull(),
    revision: integer("revision").notNull().default(1),
  },
  (t) => [
    unique("device_path_unique").on(t.path),
    index("device_profile").on(t.profileId),
    index("device_gateway").on(t.gatewayId),
    index("device_site").on(t.siteId),
  ],
);
