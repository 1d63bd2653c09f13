import type { EventFact } from "@millrace/contract/api/event";
import type { LogLevel } from "@millrace/contract/vocabulary/log";
import {
  bigint,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { json } from "./column.ts";

const whole = (name: string) => bigint(name, { mode: "number" });

/**
 * Log records of gateways (events `log.record` of lane E), written in one transaction with the mark of its stream.
 * Apart from the other events because they are kept shorter: by age, and by rows of each gateway and of all.
 */
export const gatewayLog = pgTable(
  "gateway_log",
  {
    gatewayNo: integer("gateway_no").notNull(),
    epoch: whole("epoch").notNull(),
    seg: whole("seg").notNull(),
    seq: whole("seq").notNull(),
    /** Place inside its frame, from 0. */
    position: integer("position").notNull(),
    /** The gateway's time, ms UTC, with the offset of its boot inside. */
    at: doublePrecision("at").notNull(),
    level: text("level").$type<LogLevel>().notNull(),
    logger: text("logger").notNull(),
    message: text("message").notNull(),
    deviceId: uuid("device_id"),
    data: json<Record<string, EventFact>>("data").notNull(),
    receivedAt: timestamp("received_at", { withTimezone: true }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.gatewayNo, t.epoch, t.seg, t.seq, t.position] }),
    index("gateway_log_at").on(t.at),
    index("gateway_log_gateway_at").on(t.gatewayNo, t.at),
    // What is too old or too much goes by the hub's own time: a gateway's may be any.
    index("gateway_log_received").on(t.receivedAt),
  ],
);
