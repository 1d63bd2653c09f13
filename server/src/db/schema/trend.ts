import type { TrendPen, TrendRange } from "@millrace/contract/api/trend";
import { bigint, index, integer, pgTable, text, uuid } from "drizzle-orm/pg-core";
import { instant, json } from "./column.ts";

const whole = (name: string) => bigint(name, { mode: "number" });

export const trendView = pgTable("trend_view", {
  id: uuid("id").primaryKey(),
  name: text("name").notNull().unique(),
  pens: json<TrendPen[]>("pens").notNull(),
  range: json<TrendRange>("range").notNull(),
  layout: text("layout").$type<"shared" | "stacked">().notNull(),
  compareMs: whole("compare_ms"),
  author: text("author").notNull(),
  revision: integer("revision").notNull(),
});

/** Notes at a time or a stretch of time. `tag_no` null: for the whole plant. */
export const annotation = pgTable(
  "annotation",
  {
    id: uuid("id").primaryKey(),
    from: instant("from").notNull(),
    to: instant("to"),
    tagNo: whole("tag_no"),
    text: text("text").notNull(),
    author: text("author").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (t) => [index("annotation_from").on(t.from)],
);
