import type { CommandBody, CommandOutcome } from "@millrace/contract/wire/command";
import { bigint, integer, pgTable, text, unique, uuid } from "drizzle-orm/pg-core";
import { instant, json } from "./column.ts";
import { gateway } from "./gateway.ts";

/** What became of a momentary value that outlived its press. */
export interface CommandRelease {
  /** False: it may still be held. */
  taken: boolean;
  /** Gateway's time, ms UTC. */
  at: number;
  message: string;
}

/** What the gateway told: with the outcome a sentence and its facts, and later on what was held. */
export interface CommandResult {
  message?: string;
  data?: Record<string, string | number | boolean | null>;
  release?: CommandRelease;
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
    /** As it was told; null while nothing is. */
    result: json<CommandResult>("result"),
  },
  (t) => [unique("command_no_unique").on(t.gatewayNo, t.commandNo)],
);
