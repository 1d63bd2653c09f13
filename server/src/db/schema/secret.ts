import { index, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { bytea, instant } from "./column.ts";

/** Whose setting a secret is. A draft holds what was typed until it is published. */
export type SecretOwner = "profile" | "device" | "gateway" | "draft";

/**
 * One value of one secret setting, encrypted under the hub's own key; never changed, a new value is a new row. Settings,
 * and the versions of the configuration, name the row by its id, which says nothing of the value.
 */
export const secret = pgTable(
  "secret",
  {
    id: uuid("id").primaryKey(),
    ownerKind: text("owner_kind").$type<SecretOwner>().notNull(),
    ownerId: uuid("owner_id").notNull(),
    setting: text("setting").notNull(),
    ciphertext: bytea("ciphertext").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (t) => [index("secret_owner").on(t.ownerKind, t.ownerId)],
);

/** A secret sealed for the present key of one gateway: made once, so that an unchanged manifest stays the same. */
export const sealedSecret = pgTable(
  "sealed_secret",
  {
    secretId: uuid("secret_id")
      .notNull()
      .references(() => secret.id, { onDelete: "cascade" }),
    gatewayId: uuid("gateway_id").notNull(),
    sealKey: text("seal_key").notNull(),
    sealed: text("sealed").notNull(),
  },
  (t) => [primaryKey({ columns: [t.secretId, t.gatewayId] })],
);
