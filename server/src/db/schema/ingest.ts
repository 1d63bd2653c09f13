import type { EventFact } from "@millrace/contract/api/event";
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea, json } from "./column.ts";

const whole = (name: string) => bigint(name, { mode: "number" });

/** Identity of a frame: (gateway, epoch, lane, segment, first number). */
const frameKey = {
  gatewayNo: integer("gateway_no").notNull(),
  epoch: whole("epoch").notNull(),
  lane: text("lane").notNull(),
  seg: whole("seg").notNull(),
  first: whole("first").notNull(),
};

/**
 * High-water mark of each stream: everything up to and including `last` is committed. The one row that is locked when
 * an envelope is applied. Rows are made when a signed hello lists a stream, never by a frame (`delivery.md` 2.4).
 */
export const uplinkStream = pgTable(
  "uplink_stream",
  {
    gatewayNo: integer("gateway_no").notNull(),
    epoch: whole("epoch").notNull(),
    lane: text("lane").notNull(),
    seg: whole("seg").notNull(),
    last: whole("last").notNull().default(0),
    fenced: boolean("fenced").notNull().default(false),
    /** Frames up to this number are inside the stored snapshot of latest values; the rest is replayed at start. */
    latestSeq: whole("latest_seq").notNull().default(0),
    /** Highest number a gateway knew as acknowledged; above `last` only while a restored hub gets its past back. */
    ackedSeen: whole("acked_seen").notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.gatewayNo, t.epoch, t.lane, t.seg] })],
);

/**
 * Frames as received, byte for byte; also the proof that ranges tile 1..high-water mark. `wide` marks the rare frame
 * whose samples span more than `WIDE_SPAN_MS`: because of it a range query on `t_max` alone is bounded at both ends.
 */
export const journal = pgTable(
  "journal",
  {
    ...frameKey,
    last: whole("last").notNull(),
    /** data, gap, rollup, events, or quarantined (its bytes are in `ingest_quarantine`). */
    kind: text("kind").notNull(),
    /** Samples in the body; of a rollup those that were kept, of a gap those that are lost. */
    n: integer("n").notNull(),
    tMin: doublePrecision("t_min").notNull(),
    tMax: doublePrecision("t_max").notNull(),
    wide: boolean("wide").notNull(),
    crc: whole("crc").notNull(),
    receivedAt: timestamp("received_at", { withTimezone: true }).notNull(),
    bootNo: whole("boot_no").notNull().default(0),
    /** Sealed without a clock, and the times of its boot are not known yet (`boot_clock`). */
    clockNone: boolean("clock_none").notNull().default(false),
    /** Every reader adds this to the times in the body; `t_min` and `t_max` have it inside. */
    offsetMs: doublePrecision("offset_ms").notNull().default(0),
    /** Already compressed, so the migration sets STORAGE EXTERNAL. */
    body: bytea("body").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.gatewayNo, t.epoch, t.lane, t.seg, t.first] }),
    index("journal_time").on(t.gatewayNo, t.wide, t.tMax),
    index("journal_clock_none").on(t.gatewayNo, t.bootNo).where(sql`${t.clockNone}`),
  ],
);

/** Times of boots that began without a clock: add `offset_ms` to what was sealed before the clock came (ms). */
export const bootClock = pgTable(
  "boot_clock",
  {
    gatewayNo: integer("gateway_no").notNull(),
    bootNo: whole("boot_no").notNull(),
    offsetMs: doublePrecision("offset_ms").notNull(),
    quality: text("quality").notNull(),
    at: timestamp("at", { withTimezone: true }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.gatewayNo, t.bootNo] })],
);

/** What gateways tell about themselves (lane E), written in one transaction with the mark of its stream. */
export const gatewayEvent = pgTable(
  "gateway_event",
  {
    gatewayNo: integer("gateway_no").notNull(),
    epoch: whole("epoch").notNull(),
    seg: whole("seg").notNull(),
    seq: whole("seq").notNull(),
    /** Place inside its frame, from 0. */
    position: integer("position").notNull(),
    /** The gateway's time, ms UTC, with the offset of its boot inside. */
    at: doublePrecision("at").notNull(),
    code: text("code").notNull(),
    severity: text("severity").$type<"info" | "warning" | "error">().notNull(),
    message: text("message").notNull(),
    deviceId: uuid("device_id"),
    data: json<Record<string, EventFact>>("data").notNull(),
    receivedAt: timestamp("received_at", { withTimezone: true }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.gatewayNo, t.epoch, t.seg, t.seq, t.position] }),
    index("gateway_event_at").on(t.at),
    index("gateway_event_gateway_at").on(t.gatewayNo, t.at),
  ],
);

/** Stretches a gateway reported as lost or thinned, and frames that were deleted from quarantine. `t_min`, `t_max` in ms UTC, both included. */
export const gap = pgTable(
  "gap",
  {
    ...frameKey,
    last: whole("last").notNull(),
    n: whole("n").notNull(),
    tMin: doublePrecision("t_min").notNull(),
    tMax: doublePrecision("t_max").notNull(),
    cause: text("cause").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.gatewayNo, t.epoch, t.lane, t.seg, t.first] }),
    index("gap_time").on(t.gatewayNo, t.tMax),
  ],
);

/** Frames with a good checksum and unusable content, kept so that nothing is lost and nothing is blocked. */
export const ingestQuarantine = pgTable(
  "ingest_quarantine",
  {
    ...frameKey,
    last: whole("last").notNull(),
    code: text("code").notNull(),
    reason: text("reason").notNull(),
    receivedAt: timestamp("received_at", { withTimezone: true }).notNull(),
    body: bytea("body").notNull(),
  },
  (t) => [primaryKey({ columns: [t.gatewayNo, t.epoch, t.lane, t.seg, t.first] })],
);

/**
 * Latest values as blocks, one row per 4,096 tag numbers: a hundred thousand tags are 25 rows instead of a hundred
 * thousand updates every few seconds. Written in one transaction with `uplink_stream.latest_seq`.
 */
export const latestSnapshot = pgTable("latest_snapshot", {
  part: integer("part").primaryKey(),
  newest: bytea("newest").notNull(),
  good: bytea("good").notNull(),
});
