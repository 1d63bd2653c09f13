import type { JsonValue } from "@millrace/contract/vocabulary/value";
import type { WriteClass } from "@millrace/contract/vocabulary/write";
import { bigint, index, pgTable, smallint, text, uuid } from "drizzle-orm/pg-core";
import { instant, json } from "./column.ts";
import { command } from "./command.ts";
import { tag } from "./tag.ts";

/**
 * What people chose to write to a tag. A choice counts once and not for long; what became a command is kept, with the
 * names as they were then. The audit has the identities too.
 */
export const tagWrite = pgTable(
  "tag_write",
  {
    id: uuid("id").primaryKey(),
    tagNo: bigint("tag_no", { mode: "number" })
      .notNull()
      .references(() => tag.tagNo),
    /** The tag's, which is for ever: the list of a device's writes is read in its order. */
    deviceId: uuid("device_id").notNull(),
    writeClass: smallint("write_class").$type<WriteClass>().notNull(),
    /** The value, and what was there when it was chosen. */
    chosen: json<{ value: JsonValue; expected: JsonValue }>("chosen").notNull(),
    /** As the audit names them. */
    selectedById: text("selected_by_id").notNull(),
    selectedBy: text("selected_by").notNull(),
    selectedAt: instant("selected_at").notNull(),
    /** Until then it may be carried out. */
    expiresAt: instant("expires_at").notNull(),
    agreedById: text("agreed_by_id"),
    agreedBy: text("agreed_by"),
    /** Null until it is carried out. */
    commandId: uuid("command_id").references(() => command.id),
    /** Outcome of the command that the audit has; null before. */
    auditedOutcome: text("audited_outcome"),
  },
  (t) => [
    index("tag_write_tag").on(t.tagNo, t.selectedAt),
    index("tag_write_device").on(t.deviceId, t.selectedAt, t.id),
    index("tag_write_command").on(t.commandId),
  ],
);
