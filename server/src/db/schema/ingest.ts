import {
  bigint,
  boolean,
  customType,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
} from "drizzle-orm/pg-core";

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });
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
    /** data, gap, or quarantined (its bytes are in `ingest_quarantine`). */
    kind: text("kind").notNull(),
    n: integer("n").notNull(),
    tMin: doublePrecision("t_min").notNull(),
    tMax: doublePrecision("t_max").notNull(),
    wide: boolean("wide").notNull(),
    crc: whole("crc").notNull(),
    receivedAt: timestamp("received_at", { withTimezone: true }).notNull(),
    /** Already compressed, so the migration sets STORAGE EXTERNAL. */
    body: bytea("body").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.gatewayNo, t.epoch, t.lane, t.seg, t.first] }),
    index("journal_time").on(t.gatewayNo, t.wide, t.tMax),
  ],
);

/** Stretches a gateway reported as lost. `t_min`, `t_max` in ms UTC, both included. */
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
