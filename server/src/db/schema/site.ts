import type { SiteKind } from "@millrace/contract/api/plant";
import { type AnyPgColumn, index, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";

/** The place tree. `path` holds the names from the root, joined by "/", and is kept in step by the service. */
export const site = pgTable(
  "site",
  {
    id: uuid("id").primaryKey(),
    name: text("name").notNull(),
    kind: text("kind").$type<SiteKind>().notNull(),
    parentId: uuid("parent_id").references((): AnyPgColumn => site.id),
    path: text("path").notNull(),
  },
  (t) => [unique("site_path_unique").on(t.path), index("site_parent").on(t.parentId)],
);
