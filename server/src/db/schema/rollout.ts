import type {
  RolloutFigures,
  RolloutGate,
  RolloutGatewayState,
  RolloutState,
} from "@millrace/contract/api/rollout";
import { bigint, index, integer, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import type { Baseline } from "../../modules/rollouts/gate.ts";
import { instant, json } from "./column.ts";

/** A publish that goes to gateways in stages. */
export const rollout = pgTable(
  "rollout",
  {
    id: uuid("id").primaryKey(),
    version: bigint("version", { mode: "number" }).notNull(),
    backTo: bigint("back_to", { mode: "number" }).notNull(),
    state: text("state").$type<RolloutState>().notNull(),
    stage: integer("stage").notNull(),
    stages: integer("stages").notNull(),
    comment: text("comment").notNull(),
    who: text("who").notNull(),
    author: text("author").notNull(),
    startedAt: instant("started_at").notNull(),
    endedAt: instant("ended_at"),
    reason: text("reason").notNull(),
    gate: json<RolloutGate>("gate").notNull(),
  },
  (t) => [index("rollout_state").on(t.state), index("rollout_started").on(t.startedAt)],
);

export const rolloutGateway = pgTable(
  "rollout_gateway",
  {
    rolloutId: uuid("rollout_id")
      .notNull()
      .references(() => rollout.id),
    gatewayId: uuid("gateway_id").notNull(),
    stage: integer("stage").notNull(),
    state: text("state").$type<RolloutGatewayState>().notNull(),
    since: instant("since").notNull(),
    baseline: json<Baseline>("baseline"),
    after: json<RolloutFigures>("after"),
    reason: text("reason").notNull(),
  },
  (t) => [primaryKey({ columns: [t.rolloutId, t.gatewayId] })],
);
