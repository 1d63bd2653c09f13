import { boolean, index, integer, pgTable, primaryKey, text, timestamp, uuid } from "drizzle-orm/pg-core";

/** Every manifest a gateway was ever offered. The newest `rev` is the wanted one. */
export const manifest = pgTable(
  "manifest",
  {
    gatewayId: uuid("gateway_id").notNull(),
    rev: integer("rev").notNull(),
    /** Canonical JSON, the text that is hashed and signed. */
    json: text("json").notNull(),
    sha256: text("sha256").notNull(),
    signature: text("signature").notNull(),
    /** Hash of the content without its number: two manifests with the same one run the same. */
    contentSha256: text("content_sha256").notNull(),
    /** False while a rollout keeps it back: the gateway is to run an older one meanwhile. */
    released: boolean("released").notNull().default(true),
    createdAt: timestamp("created_at", { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.gatewayId, t.rev] }), index("manifest_created").on(t.createdAt)],
);
