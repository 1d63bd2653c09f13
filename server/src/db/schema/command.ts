import type { CommandBody, CommandOutcome } from "@millrace/contract/wire/command";
import { bigint, integer, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { instant, json } from "./column.ts";
import { gateway } from "./gateway.ts";

/** The event of a command's outcome: its sentence and its facts. */
export interface CommandResult {
  message: string;
  data: Record<string, string | number | boolean | null>;
}

/**
 * What gateways were asked to do. Rows are never deleted one by one: the highest `command_no` of a gateway is the
 * hub's own counter. `state` is what the gateway told; that a command ran out of time is read from `expires_at`.
 */
export const command = pgTable(
  "command",
  {
    id: uuid("id").primaryKey(),
    gatewayNo: integer("gateway_no")
      .notNull()
      .references(() => gateway.gatewayNo),
    commandNo: bigint("command_no", { mode: "number" }).notNull(),
    body: json<CommandBody>("body").notNull(),
    /** Name of the person or the program as it was then; the audit has the identity. */
    requestedBy: text("requested_by").notNull(),
    requestedAt: instant("requested_at").notNull(),
    expiresAt: instant("expires_at").notNull(),
    state: text("state").$type<"sent" | CommandOutcome>().notNull().default("sent"),
    answeredAt: instant("answered_at"),
    /** What the gateway told with the outcome, as it told it; null while there is none. */
    result: json<CommandResult>("result"),
  },
  (t) => [unique("command_no_unique").on(t.gatewayNo, t.commandNo)],
);
