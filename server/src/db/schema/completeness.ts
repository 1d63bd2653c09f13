import { bigint, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { bytea, instant } from "./column.ts";

const whole = (name: string) => bigint(name, { mode: "number" });

/**
 * Which minutes of a UTC day came, for 256 neighbouring tag numbers: two bitmaps a tag, compressed. `day_no` counts
 * days since 1970-01-01. Marks are only ever added.
 */
export const coverageBlock = pgTable(
  "coverage_block",
  {
    dayNo: integer("day_no").notNull(),
    blockNo: integer("block_no").notNull(),
    gatewayNo: integer("gateway_no").notNull(),
    /** Already compressed, so the migration sets STORAGE EXTERNAL. */
    body: bytea("body").notNull(),
  },
  (t) => [primaryKey({ columns: [t.blockNo, t.dayNo, t.gatewayNo] })],
);

/**
 * How far into each stream the stored blocks reach; the frames behind that are replayed at start. Not a column of
 * `uplink_stream`: that row is locked by every commit, and this one need not wait for it.
 */
export const coveragePosition = pgTable(
  "coverage_position",
  {
    gatewayNo: integer("gateway_no").notNull(),
    epoch: whole("epoch").notNull(),
    lane: text("lane").notNull(),
    seg: whole("seg").notNull(),
    seq: whole("seq").notNull(),
  },
  (t) => [primaryKey({ columns: [t.gatewayNo, t.epoch, t.lane, t.seg] })],
);

/** Since when a tag exists, hence since when its minutes are due. */
export const coverageTag = pgTable("coverage_tag", {
  tagNo: whole("tag_no").primaryKey(),
  since: instant("since").notNull(),
});

/** Boots whose times became known later, and whose frames are marked since. */
export const coverageBoot = pgTable(
  "coverage_boot",
  {
    gatewayNo: integer("gateway_no").notNull(),
    bootNo: whole("boot_no").notNull(),
  },
  (t) => [primaryKey({ columns: [t.gatewayNo, t.bootNo] })],
);
