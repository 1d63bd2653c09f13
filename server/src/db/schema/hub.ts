import { sql } from "drizzle-orm";
import { boolean, check, pgTable, uuid } from "drizzle-orm/pg-core";
import { instant } from "./column.ts";

/** One row: who this hub is. Its private key is a file under the data folder, never in the database. */
export const hub = pgTable(
  "hub",
  {
    id: uuid("id").notNull(),
    only: boolean("only").primaryKey().default(true),
    createdAt: instant("created_at").notNull().defaultNow(),
  },
  (t) => [check("hub_only_one", sql`${t.only}`)],
);
