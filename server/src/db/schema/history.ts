import {
  bigint,
  doublePrecision,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea, instant, json } from "./column.ts";

const whole = (name: string) => bigint(name, { mode: "number" });

/**
 * How long the tags of a class are kept, in days; null for ever. `class_no` is the first key of the partitions of
 * `history`, `minute_tier` and `rollup_hour`, so that keeping no longer means dropping a table.
 */
export const retentionClass = pgTable("retention_class", {
  classNo: smallint("class_no").primaryKey(),
  name: text("name").notNull().unique(),
  rawDays: integer("raw_days"),
  minuteDays: integer("minute_days"),
  hourDays: integer("hour_days"),
});

/** Every gateway a tag ever belonged to: what it still brings of that time is the tag's. */
export const tagWriter = pgTable(
  "tag_writer",
  {
    tagNo: whole("tag_no").notNull(),
    gatewayNo: integer("gateway_no").notNull(),
  },
  (t) => [primaryKey({ columns: [t.tagNo, t.gatewayNo] }), index("tag_writer_gateway").on(t.gatewayNo)],
);

/**
 * What is left of frames that were compacted out of the journal: place, samples and checksum of each, packed. The proof
 * that ranges tile 1..high-water mark, and by which a frame that comes again is known to be the same.
 */
export const frameProof = pgTable(
  "frame_proof",
  {
    gatewayNo: integer("gateway_no").notNull(),
    epoch: whole("epoch").notNull(),
    lane: text("lane").notNull(),
    seg: whole("seg").notNull(),
    /** Least and highest number inside; rows of one stream may interleave. */
    first: whole("first").notNull(),
    last: whole("last").notNull(),
    frames: integer("frames").notNull(),
    /** Numbers that the frames cover: `last - first + 1` unless rows interleave. */
    covered: whole("covered").notNull(),
    samples: whole("samples").notNull(),
    body: bytea("body").notNull(),
  },
  (t) => [primaryKey({ columns: [t.gatewayNo, t.epoch, t.lane, t.seg, t.first] })],
);

/**
 * Samples just out of the journal: blocks of `GROUP_TAGS` neighbouring tags (`group_no` = tag number div that) within
 * one hour (`hour_no` = hours since 1970 UTC). They live until their hour is closed; late ones come here too.
 */
export const historyMinutes = pgTable(
  "history_minutes",
  {
    /** Order of arrival: of two samples with one time, the lower came first. */
    id: whole("id").primaryKey().generatedAlwaysAsIdentity(),
    groupNo: integer("group_no").notNull(),
    hourNo: integer("hour_no").notNull(),
    n: integer("n").notNull(),
    tMin: doublePrecision("t_min").notNull(),
    tMax: doublePrecision("t_max").notNull(),
    at: instant("at").notNull(),
    /** A block. Already compressed, so the migration sets STORAGE EXTERNAL. */
    body: bytea("body").notNull(),
  },
  (t) => [
    index("history_minutes_group").on(t.groupNo, t.hourNo),
    index("history_minutes_hour").on(t.hourNo, t.groupNo),
  ],
);

/**
 * One tag, one closed hour; lives until its day is closed. `part` counts from 0 where one block cannot hold the hour.
 * `minutes` (part 0 only) holds the one-minute figures of exactly the samples in the rows of this hour.
 */
export const historyHour = pgTable(
  "history_hour",
  {
    tagNo: whole("tag_no").notNull(),
    hourNo: integer("hour_no").notNull(),
    part: smallint("part").notNull(),
    n: integer("n").notNull(),
    tMin: doublePrecision("t_min").notNull(),
    tMax: doublePrecision("t_max").notNull(),
    closedAt: instant("closed_at").notNull(),
    body: bytea("body").notNull(),
    minutes: bytea("minutes"),
  },
  (t) => [primaryKey({ columns: [t.tagNo, t.hourNo, t.part] }), index("history_hour_hour").on(t.hourNo)],
);

/**
 * One tag, one closed UTC day (`day_no` = days since 1970), in parts of at most `CHUNK_SAMPLES_MAX` samples by time.
 * The migration partitions it by class, then by month.
 */
export const history = pgTable(
  "history",
  {
    tagNo: whole("tag_no").notNull(),
    tMin: doublePrecision("t_min").notNull(),
    tMax: doublePrecision("t_max").notNull(),
    /** Least, greatest, sum, first and last of the samples that are not bad; null for text and where there is none. */
    vMin: doublePrecision("v_min"),
    vMax: doublePrecision("v_max"),
    vSum: doublePrecision("v_sum"),
    vFirst: doublePrecision("v_first"),
    vLast: doublePrecision("v_last"),
    dayNo: integer("day_no").notNull(),
    n: integer("n").notNull(),
    uncertain: integer("uncertain").notNull(),
    bad: integer("bad").notNull(),
    part: smallint("part").notNull(),
    classNo: smallint("class_no").notNull(),
    body: bytea("body").notNull(),
  },
  (t) => [primaryKey({ columns: [t.tagNo, t.dayNo, t.part, t.classNo] })],
);

/** One-minute figures of one tag and UTC day. Partitioned like `history`. */
export const minuteTier = pgTable(
  "minute_tier",
  {
    tagNo: whole("tag_no").notNull(),
    dayNo: integer("day_no").notNull(),
    classNo: smallint("class_no").notNull(),
    body: bytea("body").notNull(),
  },
  (t) => [primaryKey({ columns: [t.tagNo, t.dayNo, t.classNo] })],
);

/**
 * One-hour figures, plain, for SQL and Grafana (view `tag_hour`). 64-bit integers are rounded to doubles here.
 * Partitioned by class, then by year.
 */
export const rollupHour = pgTable(
  "rollup_hour",
  {
    hour: instant("hour").notNull(),
    tagNo: whole("tag_no").notNull(),
    min: doublePrecision("min"),
    max: doublePrecision("max"),
    sum: doublePrecision("sum"),
    first: doublePrecision("first"),
    last: doublePrecision("last"),
    /** Each value counted as long as it stood, over the part of the hour in which something was known. */
    weighted: doublePrecision("weighted"),
    n: integer("n").notNull(),
    uncertain: integer("uncertain").notNull(),
    bad: integer("bad").notNull(),
    classNo: smallint("class_no").notNull(),
  },
  (t) => [primaryKey({ columns: [t.tagNo, t.hour, t.classNo] })],
);

/** Samples that have no place in the history, kept aside for a person to look at: a block each, with the reason. */
export const historyStray = pgTable(
  "history_stray",
  {
    id: whole("id").primaryKey().generatedAlwaysAsIdentity(),
    gatewayNo: integer("gateway_no").notNull(),
    /**
     * `foreign`: the tag was never this gateway's. `expired`: older than its class is kept. `unbelievable`: a time before
     * 1970 or after 9999, which has no place in the history.
     */
    reason: text("reason").$type<"foreign" | "expired" | "unbelievable">().notNull(),
    n: integer("n").notNull(),
    at: instant("at").notNull(),
    body: bytea("body").notNull(),
  },
  (t) => [index("history_stray_at").on(t.at)],
);

/** Imports that were carried out, so that the same request sent again does nothing. */
export const importRun = pgTable("import_run", {
  key: text("key").primaryKey(),
  /** SHA-256 of the body: the same key with another body is a mistake. */
  bodyHash: bytea("body_hash").notNull(),
  report: json<object>("report").notNull(),
  at: instant("at").notNull(),
  actor: uuid("actor"),
});
