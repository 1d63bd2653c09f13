import type { ConfigDocument, ConfigKind } from "@millrace/contract/api/config";
import { bigint, index, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { instant, json } from "./column.ts";

/** One row per publish. Numbers count without holes: they are given under a lock, in the transaction of the change. */
export const configVersion = pgTable("config_version", {
  version: bigint("version", { mode: "number" }).primaryKey(),
  at: instant("at").notNull(),
  who: text("who").notNull(),
  author: text("author").notNull(),
  comment: text("comment").notNull(),
  action: text("action").notNull(),
  added: integer("added").notNull(),
  changed: integer("changed").notNull(),
  removed: integer("removed").notNull(),
});

/**
 * What a version changed: the entity as it is from then on, null once it is gone. The state at a version is the newest
 * entry of each entity up to it, so a version costs what it changed.
 */
export const configEntry = pgTable(
  "config_entry",
  {
    kind: text("kind").$type<ConfigKind>().notNull(),
    entityId: uuid("entity_id").notNull(),
    version: bigint("version", { mode: "number" })
      .notNull()
      .references(() => configVersion.version),
    content: json<object>("content"),
  },
  (t) => [
    primaryKey({ columns: [t.kind, t.entityId, t.version] }),
    index("config_entry_version").on(t.version),
  ],
);

/** Changes that were prepared and not published yet. */
export const configDraft = pgTable("config_draft", {
  id: uuid("id").primaryKey(),
  name: text("name").notNull(),
  document: json<ConfigDocument>("document").notNull(),
  basedOn: bigint("based_on", { mode: "number" }).notNull(),
  author: text("author").notNull(),
  updatedAt: instant("updated_at").notNull(),
  revision: integer("revision").notNull(),
});
