import type { Interpolation, Range, Scale } from "@millrace/contract/vocabulary/tag";
import type { DataType } from "@millrace/contract/vocabulary/value";
import type { WriteRules } from "@millrace/contract/vocabulary/write";
import { bigint, doublePrecision, index, integer, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { instant, json } from "./column.ts";

/**
 * Tags with all numbers resolved. A row is never deleted: stored samples refer to `tag_no` for ever, and a tag that
 * disappears and comes back under its old name keeps its number. That is also why `device_id` is no foreign key.
 */
export const tag = pgTable(
  "tag",
  {
    tagNo: bigint("tag_no", { mode: "number" })
      .primaryKey()
      .generatedAlwaysAsIdentity({ minValue: 1, maxValue: 4_294_967_295 }),
    deviceId: uuid("device_id").notNull(),
    name: text("name").notNull(),
    path: text("path").notNull(),
    address: text("address").notNull(),
    dataType: text("data_type").$type<DataType>().notNull(),
    unit: text("unit").notNull(),
    description: text("description").notNull(),
    scanMs: integer("scan_ms").notNull(),
    heartbeatMs: integer("heartbeat_ms").notNull(),
    deadband: doublePrecision("deadband").notNull(),
    scale: json<Scale>("scale"),
    range: json<Range>("range"),
    interpolation: text("interpolation").$type<Interpolation>().notNull().default("step"),
    retention: text("retention").notNull().default("standard"),
    /** Null: nothing may be written to it. */
    write: json<WriteRules>("write"),
    removedAt: instant("removed_at"),
  },
  (t) => [unique("tag_device_name_unique").on(t.deviceId, t.name), index("tag_path").on(t.path)],
);
